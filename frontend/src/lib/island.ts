/** Mounts a component wherever the page has `<div data-island="NAME" data-props='{…}'>`. */
import { type ComponentType, h, render } from "preact";
import { inWordsOf } from "./catalogues";

export function mount<Props extends object>(name: string, Island: ComponentType<Props>): void {
  inWordsOf(document.documentElement.lang, () => {
    for (const place of document.querySelectorAll<HTMLElement>(`[data-island="${name}"]`)) {
      const props = JSON.parse(place.dataset.props ?? "{}") as Props;
      place.replaceChildren();
      render(h(Island, props), place);
    }
  });
}
