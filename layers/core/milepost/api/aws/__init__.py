"""The API's services on AWS."""
