"""What tests need, ours and yours: scripted models, a loopback server with faults, conformance suites."""
