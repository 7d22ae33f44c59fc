# overlay-ctl and its libraries on a base image of your choice; docs/containers.md shows both ways.
#   Built here:    docker build -t overlay .
#   Built before:  make build install-built DESTDIR=out/image/installed PREFIX=/usr
#                  docker build -t overlay --build-arg BASE=debian:bookworm-slim --build-context tree=out/image .
# BASE: x86-64, and its glibc not older than the one of the place of building (2.31 or newer). .NET's own SDK image is Ubuntu 24.04.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG BASE=ubuntu:24.04

# A build context of this name takes the place of the whole stage.
FROM ${SDK_IMAGE} AS tree
WORKDIR /src
COPY . .
RUN apt-get update && apt-get install -y --no-install-recommends make
RUN make build && make install-built DESTDIR=/installed PREFIX=/usr

FROM ${BASE}
COPY --from=tree /installed/ /
ENTRYPOINT ["/usr/bin/overlay-ctl", "run"]
