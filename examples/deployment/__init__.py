"""An independent deployment of the two container-service operations."""
