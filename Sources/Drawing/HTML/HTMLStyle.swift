/// The style of pages: the system's own fonts, one column, light or dark as the reader's system is.
enum HTMLStyle {
  static let text = """
    :root { color-scheme: light dark; --ink: #212529; --faint: #545a60; --paper: #ffffff; --tint: #f3f5f7; --line: #d5d9dd;
      --accent: #0a5ea8; --good: #00694b; --warning: #8a5300; --bad: #a32020; --mark: #e8f3ec; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --faint: #a3abb3; --paper: #14171a; --tint: #1d2226; --line: #383f46;
      --accent: #79b8f2; --good: #5fcfa3; --warning: #e8b25c; --bad: #f08a8a; --mark: #173026; } }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body { margin: 0 auto; max-width: 76rem; padding: 1rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
    h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.4rem 0; }
    h2 { font-size: 1.25rem; margin: 2rem 0 0.6rem; padding-top: 0.6rem; border-top: 1px solid var(--line); }
    h3 { font-size: 1.05rem; margin: 1.4rem 0 0.4rem; }
    section:first-child > h2 { margin-top: 0.8rem; }
    p, ul, dl, pre, figure, .scroll, .charts, .pictures { margin: 0.6rem 0; }
    a { color: var(--accent); }
    nav { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; }
    small, .subtitle, dt, figcaption, .highlights span { color: var(--faint); font-size: 0.9rem; }
    .subtitle { margin: 0.2rem 0 0.5rem; }
    dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.25rem 1.2rem; }
    dd { margin: 0; min-width: 0; }
    code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.86rem; }
    pre { background: var(--tint); padding: 0.7rem 0.9rem; border-radius: 6px; overflow-x: auto; line-height: 1.4; overflow-wrap: normal; }
    .scroll { overflow-x: auto; overflow-wrap: normal; }
    table { border-collapse: collapse; font-size: 0.94rem; }
    th, td { padding: 0.3rem 0.9rem 0.3rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
    thead th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
    tbody th { font-weight: 600; min-width: 6.5rem; }
    td:not(.number) { min-width: 8rem; }
    td code { overflow-wrap: normal; }
    .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    tr.marked > * { background: var(--mark); }
    details { margin: 0.6rem 0; }
    summary { cursor: pointer; font-weight: 600; padding: 0.2rem 0; }
    .badge { border: 1px solid currentColor; border-radius: 4px; padding: 0 0.4rem; font-size: 0.82rem; white-space: nowrap; }
    .good { color: var(--good); }
    .warning { color: var(--warning); }
    .bad { color: var(--bad); }
    .notice { border-left: 4px solid var(--warning); background: var(--tint); padding: 0.5rem 0.8rem; }
    .highlights { display: flex; flex-wrap: wrap; gap: 0.7rem; margin: 0.8rem 0; }
    .highlights > div { background: var(--tint); border-radius: 8px; padding: 0.6rem 1rem; min-width: 9rem; }
    .highlights b { display: block; font-size: 1.45rem; line-height: 1.25; }
    .highlights span { display: block; }
    .pictures, .charts { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
    .charts .chart { margin: 0; }
    figure { max-width: 100%; }
    .picture { margin: 0; }
    .picture figcaption { width: 0; min-width: 100%; }
    .picture img { display: block; max-width: 100%; height: auto; }
    mark { background: var(--mark); color: inherit; padding: 0 0.2rem; }
    @media (min-width: 701px) { .paired .picture { max-width: calc(50% - 0.5rem); } }
    .chart figcaption { font-weight: 600; color: var(--ink); margin-bottom: 0.2rem; }
    .chart svg { display: block; max-width: 100%; height: auto; }
    .narrow { display: none; }
    @media (max-width: 700px) {
      body { padding: 0.6rem 0.8rem 3rem; }
      h1 { font-size: 1.3rem; }
      dl { grid-template-columns: 1fr; gap: 0; }
      dd { margin-bottom: 0.5rem; }
      .highlights > div { flex: 1 1 40%; min-width: 8rem; padding: 0.5rem 0.7rem; }
      .highlights b { font-size: 1.2rem; }
      .sheet { overflow-x: auto; }
      .sheet img { max-width: none; }
      .wide { display: none; }
      .narrow { display: block; }
    }
    @media (prefers-color-scheme: dark) { .chart svg { filter: invert(0.91) hue-rotate(180deg); } }

    """
}
