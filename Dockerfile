# syntax=docker/dockerfile:1
# The application's image: locked dependencies in one layer, the code in the next, nothing that builds anything in the result.
ARG PYTHON=python:3.13.16-slim-bookworm

FROM ${PYTHON} AS dependencies
COPY requirements/base.lock /requirements/base.lock
# every file must match its hash in the lock; of sources only urllib3-future is built (requirements/base.in says why)
RUN python -m venv /opt/venv \
    && URLLIB3_NO_OVERRIDE=1 /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
       --requirement /requirements/base.lock \
    && /opt/venv/bin/pip check

# the compiled part of the core; this image has no compiler, so the build fetches the one that requirements/compiler.lock names
FROM dependencies AS native
WORKDIR /app
COPY requirements/compiler.lock requirements/compiler.lock
COPY pipeline/__init__.py pipeline/__init__.py
COPY pipeline/native pipeline/native
COPY native native
RUN /opt/venv/bin/python -m pipeline.native.build && test -n "$(find build/native -name 'core-*.so')"

FROM ${PYTHON}
# which commit this is, for the metric roi_build_info: docker build --build-arg COMMIT=$(git rev-parse --short=12 HEAD) .
ARG COMMIT=
RUN groupadd --gid 10001 roi && useradd --uid 10001 --gid roi --home-dir /app --shell /usr/sbin/nologin roi
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /app
COPY schemas schemas
COPY agents agents
COPY sql sql
COPY dashboards dashboards
COPY web/dist web/dist
COPY pipeline pipeline
COPY native native
COPY --from=native /app/build/native build/native
ENV ROI_BUILD_COMMIT=$COMMIT PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
ENTRYPOINT ["python", "-m", "pipeline"]
CMD ["--help"]
