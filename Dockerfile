# Both commands: `docker run IMAGE` serves the mock, `docker run IMAGE contract-tests run --target URL` judges.
# It runs as nobody in particular and writes nowhere, so `--read-only --cap-drop ALL` is fine.
FROM python:3.12-slim AS build
WORKDIR /kit
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY mock_server mock_server
COPY contract_tests contract_tests
COPY spec spec
COPY fixtures fixtures
RUN python -m venv /opt/kit && /opt/kit/bin/pip install --no-cache-dir -c constraints.txt ".[otel,redis,sql]"

FROM python:3.12-slim
COPY --from=build /opt/kit /opt/kit
ENV PATH=/opt/kit/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 1000:1000
WORKDIR /tmp
EXPOSE 4010
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s CMD ["python", "-c", \
  "import urllib.request as u; u.urlopen('http://127.0.0.1:4010/_mock/health', timeout=1)"]
CMD ["mock-server", "--host", "0.0.0.0"]
