// openapi-backend in express, as its README shows it: it validates each request and stores nothing.
import { readFileSync } from 'node:fs';
import express from 'express';
import { OpenAPIBackend } from 'openapi-backend';

const [document, port] = process.argv.slice(2);
const api = new OpenAPIBackend({ definition: JSON.parse(readFileSync(document, 'utf8')), apiRoot: '/api/v1' });
const id = '3c90c3cc-0d44-4b50-8888-8dd25736052a';
api.register({
  createContainer: (call, request, response) => response.status(201).json({ id }),
  updateContainer: (call, request, response) => response.status(200).json({ id }),
  validationFail: (call, request, response) => response.status(400).json({ errors: call.validation.errors }),
  notFound: (call, request, response) => response.status(404).json({ error: 'not found' }),
  unauthorizedHandler: (call, request, response) => response.status(401).json({ error: 'unauthorized' }),
});
api.registerSecurityHandler('bearerAuth', (call) => /^Bearer .+/.test(call.request.headers.authorization ?? ''));
await api.init();
const app = express();
app.use(express.json({ limit: '2mb' }));
app.use((request, response) => api.handleRequest(request, request, response));
app.listen(Number(port), '127.0.0.1');
