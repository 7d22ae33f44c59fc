# Two stages: the SDK builds, the final stage holds the built tree alone.
#   docker build -t overlay .
#   docker run --rm -v vault:/vault -v key:/run/key:ro overlay --volume /vault --key-file /run/key/key -- bash
# Another base: --build-arg RUNTIME_IMAGE=... (glibc 2.31 or newer, x86-64).
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${SDK_IMAGE} AS build
WORKDIR /src
COPY . .
RUN make build && make install DESTDIR=/installed PREFIX=/usr

FROM ${RUNTIME_IMAGE}
COPY --from=build /installed/ /
ENTRYPOINT ["/usr/bin/overlay-ctl", "run"]
