"""Geofences: plain areas in, who entered, left, stayed, sped, strayed or stands alone out; pure, the same code live and batch."""
