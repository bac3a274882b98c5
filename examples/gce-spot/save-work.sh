#!/bin/sh
# Runs when the machine stops; before a preemption there are about 30 seconds for it.
# What is on the disk survives a stop. Jupyter writes notebooks there by itself; this gets everything else out of memory.
set -u
logger -t save-work "the machine stops: writing everything to disk"
sync
# Work that must outlive the machine, too, goes to a bucket:
#   gsutil -m rsync -r /home/jupyter gs://MY-BUCKET/eda-spot
