/** @file The bars of the page: pages, views and overlays above; answers and progress below. */

import { byId, fill, h, icon, tell } from "./dom.js";
import { ariaKeys, keysOf } from "./keys.js";
import { shown } from "./shown.js";
import { counted, DONE, number } from "./words.js";

/** @typedef {import("./main.js").Page} Page */
/** @typedef {import("./main.js").Name} Name */

/** The views that show photos. */
export const PHOTOS = { grid: 1, photo: 1, compare: 1, survey: 1 };

const ANSWERS = /** @type {const} */ ([
	["restore", "back", "Wrong"],
	["confirm", "tick", "Right"],
	["withdraw", "undo", "Take back"],
	["reject", "cross", "Reject"],
]);

/** Draws the bars, and keeps the focus on the button that has it. */
export class Bars {
	/** @param {Page} page */
	constructor(page) {
		this.page = page;
	}

	/** A button for an action. @param {string} id @param {import("./dom.js").Icon} shape @param {string} text @param {Record<string, any>} [more] */
	button(id, shape, text, more = {}) {
		const action = /** @type {import("./keys.js").Action} */ (this.page.actions.find((each) => each.id === id));
		const keys = keysOf(action);
		const run = (/** @type {Event} */ event) => {
			const inGrid = this.page.name === "grid";
			action.run(event);
			if (inGrid && !document.querySelector("dialog[open]") && id in DONE)
				this.page.focus();
		};
		return h(
			"button",
			{
				id: `b-${id}`,
				click: run,
				"aria-keyshortcuts": ariaKeys(action),
				title: `${action.label}${keys.length ? ` (${keys.join(", ")})` : ""}`,
				...more,
			},
			icon(shape),
			h("span", { class: "text" }, text),
			keys[0] && h("kbd", { "aria-hidden": "true" }, keys[0].replace("Control", "Ctrl")),
		);
	}

	draw() {
		const focused = document.activeElement?.id;
		this.top();
		this.bar();
		document.body.classList.toggle("picking", this.page.review.selected.size > 0);
		if (focused && document.activeElement?.id !== focused)
			document.getElementById(focused)?.focus({ preventScroll: true });
	}

	top() {
		const { review, name } = this.page;
		const tab = (/** @type {Name} */ to, /** @type {import("./dom.js").Icon} */ shape, /** @type {string} */ text) =>
			this.button(to, shape, text, { "aria-pressed": name === to });
		const layer = (
			/** @type {keyof typeof shown} */ id,
			/** @type {import("./dom.js").Icon} */ shape,
			/** @type {string} */ text,
			now = shown[id],
		) => this.button(id, shape, /^on|^off/.test(now) ? text : `${text}: ${now}`, { "aria-pressed": now !== "off" });
		const link = (/** @type {Name} */ to, /** @type {string} */ text) =>
			h(
				"a",
				{
					href: `#/${to}`,
					id: `n-${to}`,
					"aria-current": name === to || (to === "grid" && name in PHOTOS) ? "page" : null,
					click: (/** @type {Event} */ event) => {
						event.preventDefault();
						this.page.open(to);
					},
				},
				text,
			);
		const fresh =
			review.waiting > 0 &&
			h(
				"button",
				{ id: "b-fresh", class: "main", click: () => review.list() },
				`Show ${counted(review.waiting, "new photo")}`,
			);
		fill(
			byId("top"),
			h(
				"nav",
				{ "aria-label": "Pages" },
				h(name in PHOTOS ? "h1" : "span", { class: "brand" }, "culld"),
				link("grid", "Photos"),
				link("policy", "Policy"),
				link("report", "Report"),
			),
			name in PHOTOS
				? h(
						"div",
						{ class: "tools", role: "toolbar", "aria-label": "View" },
						this.button("filter", "filter", "Filter", { class: "filter-button" }),
						tab("grid", "grid", "Grid"),
						tab("photo", "photo", "Photo"),
						tab("compare", "compare", "Compare"),
						tab("survey", "survey", "Survey"),
					)
				: null,
			name === "photo" || name === "compare"
				? h(
						"div",
						{ class: "tools", role: "toolbar", "aria-label": "Overlays" },
						this.button("zoom", "zoom", "100 %"),
						layer("heat", "heat", "Heat"),
						layer("clipping", "clip", "Clipping"),
						layer("sharp", "focus", "Focus"),
						layer("regions", "regions", "Regions"),
					)
				: null,
			h(
				"div",
				{ class: "tools end" },
				fresh,
				this.daemon(),
				name in PHOTOS ? this.button("why", "info", "Why", { "aria-pressed": this.page.why.open }) : null,
				h(
					"button",
					{ id: "b-settings", "aria-label": "Settings", title: "Settings", click: () => this.page.settings() },
					icon("gear"),
				),
				this.button("help", "help", "Keys"),
			),
		);
	}

	resume() {
		void this.page.review.answers.give("resume", []);
		tell("Moves are allowed again soon.");
	}

	daemon() {
		const { status } = this.page.review;
		if (!status) return null;
		if (status.brake)
			return h(
				"span",
				{ class: "daemon" },
				h("span", { class: "state warns", title: String(status.brake) }, "brake is on"),
				h("button", { id: "b-resume", click: () => this.resume() }, "Resume moves"),
			);
		const offline = Object.keys(status.offline ?? {});
		if (offline.length)
			return h(
				"span",
				{ class: "daemon warns", title: offline.join(", ") },
				`${counted(offline.length, "folder")} offline`,
			);
		const waits = this.page.review.answers.open.length;
		const word = status.daemon === "running" ? "running" : (status.daemon ?? "unknown");
		return h(
			"span",
			{ class: `daemon ${status.daemon === "running" ? "" : "warns"}`, title: "The daemon" },
			waits ? `${counted(waits, "answer")} on the way` : word,
		);
	}

	bar() {
		const { review, name } = this.page;
		if (!(name in PHOTOS)) return byId("bar").replaceChildren();
		const many = review.selected.size;
		const answers = ANSWERS.map(([kind, shape, text]) => {
			const fits = review.items(kind).length;
			if (kind === "reject" && !fits) return null;
			return this.button(kind, shape, many && fits ? `${text}: ${counted(fits, "photo")}` : text, {
				class: kind,
				disabled: fits ? null : true,
			});
		});
		const burst =
			review.id && (review.outside || review.library.burst[review.row]) && name !== "grid"
				? this.button("keep-one", "pin", "Keep one")
				: null;
		const { open, right, wrong } = review.answered;
		const all = open + right + wrong;
		const progress = h(
			"div",
			{ class: "progress", title: `${counted(wrong, "wrong decision")}` },
			h("progress", { max: all || 1, value: right + wrong, "aria-label": "Answered" }),
			h("span", null, review.progress()),
			wrong ? h("span", { class: "wrong" }, `${number(wrong)} wrong`) : null,
		);
		const info = review.info(review.id);
		fill(
			byId("bar"),
			h("div", { class: "tools" }, this.button("undo", "undo", "Undo"), this.button("redo", "redo", "Redo")),
			h("div", { class: "tools answers", role: "toolbar", "aria-label": "Answer" }, ...answers, burst),
			progress,
			h(
				"div",
				{ class: "tools end" },
				many
					? h("span", { class: "count" }, `${counted(many, "photo")} selected`)
					: h(
							"span",
							{ class: "count", title: info?.name },
							review.rows.length
								? `${number(review.at + 1)} of ${number(review.rows.length)}`
								: "none listed",
						),
				many
					? this.button("clear", "cross", "Clear")
					: name === "grid"
						? this.button("select-all", "all", "Select all")
						: null,
				this.button("previous", "left", "", { "aria-label": "Previous photo" }),
				this.button("next", "right", "", { "aria-label": "Next photo" }),
			),
		);
	}
}
