/** Makes elements. Text is only ever set as text. */

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: { className?: string; text?: string; label?: string; role?: string } = {},
  ...children: Node[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (options.className !== undefined) {
    made.className = options.className;
  }
  if (options.text !== undefined) {
    made.textContent = options.text;
  }
  if (options.label !== undefined) {
    made.setAttribute('aria-label', options.label);
  }
  if (options.role !== undefined) {
    made.setAttribute('role', options.role);
  }
  made.append(...children);
  return made;
}

export function button(text: string, clicked: () => void, options: { className?: string; label?: string; disabled?: boolean; title?: string } = {}): HTMLButtonElement {
  const made = element('button', { text, ...options });
  made.type = 'button';
  made.disabled = options.disabled ?? false;
  if (options.title !== undefined) {
    made.title = options.title;
  }
  made.addEventListener('click', clicked);
  return made;
}
