"""Several replicas of hotline behind a balancer on one machine: `python -m deploy.fleet`, `make fleet`."""
