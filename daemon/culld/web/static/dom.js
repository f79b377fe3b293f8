/** @file Elements made without innerHTML: what comes out of a file reaches the page as text only. */

/** @typedef {Node | string | number | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
	back: "M6 3.5L2.5 7 6 10.5M3 7h6.5a4 4 0 010 6.5H7",
	cross: "M3.5 3.5l9 9M12.5 3.5l-9 9",
	tick: "M2.5 8.5l3.5 3.5 7.5-8",
	tag: "M2.5 2.5h5.5l5.5 5.5-5.5 5.5-5.5-5.5zM5.4 5.4h.1",
	dot: "M8 7.9v.2",
	undo: "M5.5 3L2.5 6l3 3M3 6h6a4 4 0 010 8H6",
	redo: "M10.5 3l3 3-3 3M13 6H7a4 4 0 000 8h3",
	left: "M10 3L5 8l5 5",
	right: "M6 3l5 5-5 5",
	grid: "M2.5 2.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 9.5h4v4h-4zM9.5 9.5h4v4h-4z",
	photo: "M2 3h12v10H2zM2 11l3.5-3.5 3 3 2-2L14 11",
	compare: "M2 3h5v10H2zM9 3h5v10H9z",
	survey: "M2 3h3.3v10H2zM6.4 3h3.3v10H6.4zM10.8 3H14v10h-3.2z",
	heat: "M8 2c2.5 3 4 4.5 4 7a4 4 0 01-8 0c0-1.5.7-2.5 1.5-3.3.3 1.3 1 1.8 1.5 1.8C7 6 7 4 8 2z",
	clip: "M2 8l6-6M2 14L14 2M8 14l6-6",
	focus: "M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3M8 7.9v.2",
	regions: "M2.5 9C3 0 13 2 13.5 8.5S2 17 2.5 9zM6 8.5C7 5 10 7 10 8.5S6 12 6 8.5z",
	zoom: "M7 11.5a4.5 4.5 0 100-9 4.5 4.5 0 000 9zM10.3 10.3l3.5 3.5M5 7h4M7 5v4",
	info: "M8 14A6 6 0 108 2a6 6 0 000 12zM8 7.2V11M8 5v.1",
	filter: "M2 3.5h12M4.5 8h7M6.5 12.5h3",
	gear: "M2.5 4.5h7M12.5 4.5h1M2.5 11.5h1M6.5 11.5h7M11 3v3M5 10v3",
	help: "M5.5 6a2.5 2.5 0 113.8 2.1c-.8.5-1.3.9-1.3 1.9M8 12.8v.1",
	pin: "M8 9.5V14M5 2.5h6M6 2.5v3.5L4 9.5h8L10 6V2.5",
	all: "M2.5 2.5h11v11h-11zM5 8l2 2 4-4",
	star: "M8 2l1.8 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5z",
};

/** @typedef {keyof typeof ICONS} Icon */

/**
 * Return a new element. A function is a listener of the event named by its key, as in `{click: f}`; null and false leave
 * the attribute out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, any> | null} [props] @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
	const made = document.createElement(tag);
	for (const [key, value] of Object.entries(props ?? {})) {
		const is = key.startsWith("aria-") ? value?.toString() : value;
		if (typeof is === "function") made.addEventListener(key, is);
		else if (is != null && is !== false) made.setAttribute(key, is === true ? "" : String(is));
	}
	fill(made, ...children);
	return made;
}

/** Put children in the place of those that are there. @param {Element} parent @param {...(Child | Child[])} children */
export function fill(parent, ...children) {
	const wanted = children.flat().filter((child) => child != null && child !== false);
	parent.replaceChildren(...wanted.map((child) => (child instanceof Node ? child : String(child))));
}

/** A view of photos, which hears the review only while it is in the page. */
export class View extends HTMLElement {
	/** @type {import("./review.js").Review} */
	review = /** @type {any} */ (null);
	/** @type {(() => void)[]} */
	ends = [];

	/** @param {string} name @param {() => void} does */
	hear(name, does) {
		this.review.addEventListener(name, does);
		this.ends.push(() => this.review.removeEventListener(name, does));
	}

	disconnectedCallback() {
		this.ends.splice(0).forEach((end) => end());
	}
}

/** @param {string} tag @param {Record<string, string | number>} props @param {...Node} children @returns {SVGElement} */
export function svg(tag, props, ...children) {
	const made = document.createElementNS(SVG, tag);
	for (const [key, value] of Object.entries(props)) made.setAttribute(key, String(value));
	made.append(...children);
	return made;
}

/** @param {Icon} name */
export function icon(name) {
	const path = svg("path", { d: ICONS[name] });
	return svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, path);
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
	const found = document.getElementById(id);
	if (!found) throw new Error(`no element ${id}`);
	return found;
}

/** Tell readers of the screen, and show it for a while. @param {string} text */
export function tell(text) {
	const told = byId("told");
	told.textContent = text;
	told.classList.remove("shown");
	void told.offsetWidth;
	told.classList.add("shown");
}

/** Show a failure in words until it is closed. @param {string} text */
export function warn(text) {
	const banner = byId("banner");
	const end = () => fill(banner);
	const close = h("button", { click: end, "aria-label": "Close the message" }, icon("cross"));
	if (text) fill(banner, h("span", null, text), close);
	else end();
}
