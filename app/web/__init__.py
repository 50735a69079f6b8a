"""The door: webhooks, sockets, health, logs."""
