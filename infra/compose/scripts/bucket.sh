#!/bin/sh
# The bucket, where it is not there yet. The header is the digest of an empty body.
set -eu
call() {
  curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:s3 --user "$STORE_ACCESS_KEY:$STORE_SECRET_KEY" \
    --header 'x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' "$@" "$BUCKET_URL"
}
call --head --output /dev/null 2>/dev/null || call --request PUT
