#!/bin/sh
# What the tests with a real browser need from the system (Debian, Ubuntu). Without it they are skipped, and say so.
set -eu
apt-get install -y --no-install-recommends chromium
