"""What is round a flight: zones of the sky, the ground below, day and night, forecasts; and a sortie's way through them."""
