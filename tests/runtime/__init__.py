"""Built functions under Lambda's own runtime client, with a Runtime API of the tests."""
