"""The team's client of the container-services API."""

from team_client.client import ContainersClient, InvalidServiceError, SlugTakenError

__all__ = ["ContainersClient", "InvalidServiceError", "SlugTakenError"]
