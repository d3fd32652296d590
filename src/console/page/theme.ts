/** The theme, dark or light: the system's setting, until the user chooses one. */
import { signal } from "@preact/signals"

export type Theme = "dark" | "light"

const key = "effect-realtime.theme"

const initial = (): Theme => {
  const chosen = localStorage.getItem(key)
  if (chosen === "dark" || chosen === "light") return chosen
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
}

export const theme = signal<Theme>(initial())

export const applyTheme = (): void => {
  document.documentElement.dataset["theme"] = theme.value
}

export const toggleTheme = (): void => {
  theme.value = theme.value === "dark" ? "light" : "dark"
  localStorage.setItem(key, theme.value)
  applyTheme()
}
