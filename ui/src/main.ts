import { mount } from "svelte";
import App from "./App.svelte";
import "./style/tokens.css";
import "./style/base.css";

// The demonstration is no part of a production build: the condition is a constant there.
if (
  import.meta.env.MODE !== "production" &&
  new URLSearchParams(location.search).has("demo")
) {
  const { install } = await import("./demo/backend");
  install(new URLSearchParams(location.search));
}

mount(App, { target: document.getElementById("app")! });
