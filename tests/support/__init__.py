"""What several test folders share: brokers, endpoints, waiting on conditions."""
