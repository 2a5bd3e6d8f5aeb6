"use strict";
// Swagger UI for the document of this server; it requests nothing from other hosts.

const container = document.getElementById("reference");
const dark = matchMedia("(prefers-color-scheme: dark)");

function applyColorScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

applyColorScheme();
dark.addEventListener("change", applyColorScheme);
window.ui = SwaggerUIBundle({
  domNode: container,
  url: container.dataset.document,
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  onComplete: () => {
    const { scheme, token } = container.dataset;
    if (scheme && token) window.ui.preauthorizeApiKey(scheme, token);
  },
});
