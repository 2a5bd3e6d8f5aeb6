"use strict";
// Swagger UI, with the page's own document, and nothing that leaves the server.

const place = document.getElementById("reference");
const dark = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

follow();
dark.addEventListener("change", follow);
window.ui = SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  onComplete: () => {
    const { scheme, token } = place.dataset;
    if (scheme && token) window.ui.preauthorizeApiKey(scheme, token);
  },
});
