"""Controls: requests that show that the response to a case means something."""
