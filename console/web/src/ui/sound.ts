// Short tones for an alarm, made by the browser itself; the tinted row and the live region are its visual twin.
let context: AudioContext | null = null;
/** A call for help by two tones; what can wait a moment by one that is lower. */
const TONES_HZ = { urgent: [880, 660], soon: [520] } as const;
const TONE_S = 0.18;

/** Browsers give sound only after a touch of the page: call from the first one. */
export function wakeSound(): void {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume();
}

/** Sound the alarm once; silent where the browser does not let us. */
export function soundAlarm(tones: keyof typeof TONES_HZ = "urgent"): void {
  if (context?.state !== "running") return;
  for (const [i, hz] of TONES_HZ[tones].entries()) {
    const from = context.currentTime + i * TONE_S;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = hz;
    volume.gain.setValueAtTime(0.0001, from);
    volume.gain.exponentialRampToValueAtTime(0.12, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + TONE_S);
    tone.connect(volume).connect(context.destination);
    tone.start(from);
    tone.stop(from + TONE_S);
  }
}
