# Built by `make docker`, which puts the static binaries and the host's CA
# certificates into .build first. The process and ansible targets need programs
# that this image does not have: derive from it, or run the binary on the host.
FROM scratch

ARG ARCH="amd64"
ARG OS="linux"
COPY .build/ca-certificates.crt          /etc/ssl/certs/ca-certificates.crt
COPY .build/${OS}-${ARCH}/alertscaler    /bin/alertscaler
COPY .build/${OS}-${ARCH}/scalertool     /bin/scalertool
COPY --chown=65534:65534 .build/data     /alertscaler

USER       65534:65534
EXPOSE     9920
VOLUME     ["/alertscaler"]
WORKDIR    /alertscaler
ENTRYPOINT ["/bin/alertscaler"]
CMD        ["--config.file=/etc/alertscaler/alertscaler.yml", \
            "--storage.path=/alertscaler", \
            "--web.listen-address=:9920"]
