# Two stages: the SDK builds, the final stage holds the built tree alone.
#   docker build -t overlay .
#   docker run --rm -v vault:/vault -v key:/run/key:ro overlay --volume /vault --key-file /run/key/key -- bash
# Other bases: --build-arg SDK_IMAGE=... and RUNTIME_IMAGE=...: x86-64, glibc 2.31 or newer, and the final one's glibc not older than
# the SDK's (.NET 10's own image is Ubuntu 24.04, with glibc 2.39).
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=ubuntu:24.04

FROM ${SDK_IMAGE} AS build
WORKDIR /src
COPY . .
RUN apt-get update && apt-get install -y --no-install-recommends make
RUN make build && make install DESTDIR=/installed PREFIX=/usr

FROM ${RUNTIME_IMAGE}
COPY --from=build /installed/ /
ENTRYPOINT ["/usr/bin/overlay-ctl", "run"]
