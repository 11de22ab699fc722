// A button that is switched off while its work goes on loses the focus to nowhere, and with it the person at the keyboard.

/** Gives the focus back to a button inside `root` when it can be pressed again, unless it has gone elsewhere meanwhile. */
export function keepFocus(root: HTMLElement): () => void {
  let last: Element | null = null;
  const came = (event: FocusEvent) => (last = event.target as Element);
  const watch = new MutationObserver((changes) => {
    const again = changes.some(
      ({ target }) =>
        target === last && !(target as HTMLButtonElement).disabled,
    );
    const nowhere =
      !document.activeElement || document.activeElement === document.body;
    if (again && nowhere) (last as HTMLElement).focus();
  });
  document.addEventListener("focusin", came);
  watch.observe(root, {
    subtree: true,
    attributes: true,
    attributeFilter: ["disabled"],
  });
  return () => {
    document.removeEventListener("focusin", came);
    watch.disconnect();
  };
}
