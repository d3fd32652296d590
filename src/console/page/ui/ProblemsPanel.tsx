import { overview, version } from "../stage.js"

export const ProblemsPanel = () => {
  void version.value
  const problems = overview.value.problems.all.toReversed()
  return (
    <section class="panel" aria-labelledby="problems-title">
      <h2 id="problems-title">Errors</h2>
      {problems.length === 0 && <p class="empty">Nothing has gone wrong.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ol class="problems" aria-labelledby="problems-title" tabIndex={0}>
        {problems.map(({ atMs, message, title }, index) => (
          <li key={problems.length - index}>
            <span class="time">{(atMs / 1_000).toFixed(1)} s</span> <strong>{title}</strong> {message}
          </li>
        ))}
      </ol>
    </section>
  )
}
