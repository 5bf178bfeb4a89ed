/** A share of attention, or its change with a sign; what rounds to 0 has none. */
export function shareLabel(share: number, isChange: boolean, digits = 4): string {
  const text = share.toFixed(digits);
  if (Number(text) === 0) return (0).toFixed(digits);
  return (isChange && share > 0 ? "+" : "") + text.replace("-", "−");
}
