# The reference environment. From the checkout:
#     docker build -t tierlab .
#     docker run --rm -it -v "$PWD:/tierlab" -v tierlab-cache:/cache tierlab \
#         ./tierlab compare
FROM debian:trixie-slim
COPY packages.txt /tmp/packages.txt
RUN apt-get update \
 && sed 's/#.*//' /tmp/packages.txt \
    | DEBIAN_FRONTEND=noninteractive \
      xargs apt-get install --yes --no-install-recommends \
 && rm -rf /var/lib/apt/lists/* /tmp/packages.txt
ENV LANG=C.UTF-8 TIERLAB_CACHE=/cache
WORKDIR /tierlab
