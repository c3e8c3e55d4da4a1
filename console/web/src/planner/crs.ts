// The datums that files come in, the usual one first.
export const CRS_NAMES = ["wgs84", "gcj02", "bd09", "cgcs2000"] as const;
