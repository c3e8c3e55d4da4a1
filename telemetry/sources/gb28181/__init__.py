"""GB/T 28181: body-worn cameras and car cameras register with us by SIP and report where they are."""
