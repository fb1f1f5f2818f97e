// Colours and faces, light and dark. The two programs, the failed one and what stands still differ in lightness and in shape too, not
// in hue alone.

interface Colours {
  readonly page: string;
  readonly band: string;
  readonly ink: string;
  readonly quiet: string;
  readonly grid: string;
  readonly old: string;
  readonly new: string;
  readonly failed: string;
  readonly held: string;
  readonly queue: string;
  readonly threads: string;
  readonly violet: string;
  readonly cyan: string;
  readonly grey: string;
}

const light: Colours = {
  page: '#ffffff',
  band: '#f6f8fa',
  ink: '#1f2328',
  quiet: '#59636e',
  grid: '#d1d9e0',
  old: '#2f6fde',
  new: '#0f9d6e',
  failed: '#d4380d',
  held: '#bf2a7d',
  queue: '#e09b00',
  threads: '#8795a5',
  violet: '#7b61d9',
  cyan: '#1786a8',
  grey: '#9aa5b1',
};

const dark: Colours = {
  page: '#0d1117',
  band: '#151b23',
  ink: '#f0f6fc',
  quiet: '#9198a1',
  grid: '#30363d',
  old: '#5b9bff',
  new: '#2ecc94',
  failed: '#ff7043',
  held: '#f062b0',
  queue: '#f5bd3d',
  threads: '#7d8b9b',
  violet: '#a48eff',
  cyan: '#45bfe0',
  grey: '#6e7a87',
};

const face =
  "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Inter, Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif";

export function styleSheet(): string {
  return `<style>
text { font-family: ${face}; font-size: 12px; }
.title { font-size: 21px; font-weight: 700; }
.big { font-size: 20px; font-weight: 700; }
.lane { font-size: 12.5px; font-weight: 600; }
.small { font-size: 11px; }
.strong { font-weight: 600; }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.line { fill: none; stroke-width: 1.5; }
.thin { stroke-width: 1; }
.dashed { stroke-dasharray: 3 3; }
.on { fill: #ffffff; }
${rules(light)}
@media (prefers-color-scheme: dark) {
.on { fill: #0d1117; }
${rules(dark)}
}
</style>`;
}

/** `.f-NAME` fills, `.s-NAME` strokes. */
function rules(colours: Colours): string {
  return Object.entries(colours)
    .map(([name, colour]) => `.f-${name} { fill: ${colour}; } .s-${name} { stroke: ${colour}; }`)
    .join('\n');
}
