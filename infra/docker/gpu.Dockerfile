# The worker with TensorFlow for NVIDIA GPUs. Its CUDA libraries come with TensorFlow (8 GB); the host needs a driver for CUDA 12.5 or
# newer and the NVIDIA container toolkit. Build the CPU image first, then:
#   docker build -f infra/docker/gpu.Dockerfile -t hourglass:0.1.0-gpu .
ARG BASE=hourglass:0.1.0
FROM ${BASE} AS engine
USER root
RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3 python3-pip
ENV HOURGLASS_ENGINES=/opt/engines
RUN hourglass engine install tensorflow --cuda

FROM ${BASE}
COPY --from=engine /opt/engines /opt/engines
ENV HOURGLASS_ENGINES=/opt/engines NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility TF_FORCE_GPU_ALLOW_GROWTH=true
CMD ["worker", "--queues", "gpu", "--health", "0.0.0.0:8080", "--metrics", "0.0.0.0:9464"]
