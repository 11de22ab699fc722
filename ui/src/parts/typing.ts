/** Waits until typing rests, and never acts inside an unfinished word of an input method. */
export function debounced(act: () => void, rest = 250) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (event: Event) => {
    clearTimeout(timer);
    if (event instanceof InputEvent && event.isComposing) return;
    timer = setTimeout(act, rest);
  };
}
