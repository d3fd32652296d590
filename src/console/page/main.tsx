import { render } from "preact"
import { load } from "./stage.js"
import { applyTheme } from "./theme.js"
import { App } from "./ui/App.js"

applyTheme()
const root = document.getElementById("app")
if (root !== null) render(<App />, root)
void load()
