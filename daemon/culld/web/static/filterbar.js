/** @file The filter: values with live counts, each facet turned round by a switch, and the order. */

import { byId, fill, h, icon } from "./dom.js";
import { FACETS, ORDERS } from "./filters.js";
import { DEFECT_WORDS, number } from "./words.js";

/** @typedef {import("./review.js").Review} Review */

const MOST_VALUES = 12;
const WORDS = /** @type {Record<string, string>} */ ({
	open: "not answered",
	right: "right",
	wrong: "wrong: brought back",
	"not asked": "nothing to answer",
	none: "none",
	"": "unknown",
});

/** Show the filter. @param {HTMLElement} el @param {Review} review @param {() => void} changed */
export function filterBar(el, review, changed) {
	/** @type {Set<string>} */
	const whole = new Set();
	const again = (/** @type {string} */ focus) => {
		changed();
		draw();
		document.getElementById(focus)?.focus();
	};
	const draw = () => {
		const { filter } = review;
		const order = h(
			"select",
			{
				id: "order",
				change: (/** @type {any} */ event) => {
					filter.order = event.target.value;
					again("order");
				},
			},
			...Object.entries(ORDERS).map(([value, text]) => h("option", { value, selected: value === filter.order }, text)),
		);
		const kept = h("input", {
			type: "checkbox",
			id: "kept",
			checked: filter.kept,
			change: (/** @type {any} */ event) => {
				filter.kept = event.target.checked;
				void review.load(true).then(() => again("kept"));
			},
		});
		const clear = () => {
			filter.clear();
			again("order");
		};
		const close = () => document.body.classList.remove("show-filters");
		fill(
			el,
			h(
				"div",
				{ class: "filter-head" },
				h("h2", null, "Filter"),
				!filter.empty && h("button", { id: "clear-filter", click: clear }, "Clear"),
				h("button", { class: "drawer-close", "aria-label": "Close the filter", click: close }, icon("cross")),
			),
			h("label", { class: "order" }, "Order ", order),
			...FACETS.map(facet),
			h("label", { class: "switch" }, kept, " List kept photos too"),
		);
	};
	const facet = (/** @type {import("./filters.js").Facet} */ name) => {
		const { filter } = review;
		const values = review.values[name] ?? [];
		const sorted = values
			.map((value, at) => ({ value, count: review.counts[name][at] }))
			.filter(({ value, count }) => count || filter.wanted[name].has(value));
		if (name === "month") sorted.sort((a, b) => (a.value < b.value ? 1 : -1));
		else if (name === "folder" || name === "camera") sorted.sort((a, b) => b.count - a.count);
		if (!sorted.length || (name === "camera" && sorted.length === 1 && !filter.wanted[name].size)) return null;
		const listed = whole.has(name) ? sorted : sorted.slice(0, MOST_VALUES);
		const turned = filter.inverted.has(name);
		const turnId = `turn-${name}`;
		const more = () => {
			whole.add(name);
			draw();
		};
		const turn =
			filter.wanted[name].size > 0 &&
			h(
				"button",
				{
					id: turnId,
					class: "turn",
					"aria-pressed": turned,
					title: "All but the chosen ones",
					click: () => {
						if (!filter.inverted.delete(name)) filter.inverted.add(name);
						again(turnId);
					},
				},
				"not",
			);
		return h(
			"fieldset",
			null,
			h("legend", null, name[0].toUpperCase() + name.slice(1), turn),
			...listed.map(({ value, count }) => line(name, value, count, turned)),
			sorted.length > listed.length &&
				h("button", { class: "link", click: more }, `${sorted.length - listed.length} more`),
		);
	};
	const line = (
		/** @type {import("./filters.js").Facet} */ name,
		/** @type {string} */ value,
		/** @type {number} */ count,
		/** @type {boolean} */ turned,
	) => {
		const { wanted } = review.filter;
		const id = `f-${name}-${review.values[name].indexOf(value)}`;
		const box = h("input", {
			type: "checkbox",
			id,
			checked: wanted[name].has(value),
			change: () => {
				if (!wanted[name].delete(value)) wanted[name].add(value);
				again(id);
			},
		});
		return h(
			"label",
			{ class: turned && wanted[name].has(value) ? "out" : null, title: value },
			box,
			h("span", { class: "value" }, words(name, value)),
			h("span", { class: "count" }, number(count)),
		);
	};
	review.addEventListener("list", draw);
	review.addEventListener("states", () => {
		if (!el.contains(document.activeElement)) draw();
	});
	draw();
}

/** @param {string} facet @param {string} value */
function words(facet, value) {
	if (facet === "defect") return DEFECT_WORDS[/** @type {"blur"} */ (value)] ?? "none";
	if (facet === "folder") return value.split("/").slice(-1)[0] || value;
	return WORDS[value] ?? value;
}

/** Open the filter and go into it. */
export function enterFilter() {
	document.body.classList.add("show-filters");
	document.body.classList.remove("no-filters");
	byId("filters").querySelector("select")?.focus();
}
