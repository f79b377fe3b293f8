/** @file Two to nine photos beside each other, zoomed and panned together; and the survey of a burst. */

import { address, copyOf, get } from "./api.js";
import { fill, h, icon, View } from "./dom.js";
import { Picture } from "./picture.js";
import { badge } from "./why.js";
import { STATES } from "./words.js";

/** @typedef {import("./picture.js").Place} Place */
/** @typedef {{picture: Picture, el: HTMLElement, id: number, copy: boolean, held: boolean, head: HTMLElement}} Pane */

const MOST_PANES = 9;
const PAN = 0.25;

/** The columns of a grid of `count` frames in a room of this shape. @param {number} count @param {number} w @param {number} high */
function columnsFor(count, w, high) {
	let best = 1;
	let least = 0;
	for (let columns = 1; columns <= count; columns++) {
		const lines = Math.ceil(count / columns);
		const side = Math.min(w / columns / 1.5, high / lines);
		if (side > least) [best, least] = [columns, side];
	}
	return best;
}

/** How a frame differs from the best one of its burst: short for the eye, in full for readers. @param {any} frame */
function line(frame) {
	if (!frame?.text) return [];
	if (frame.is_best) return [h("span", { class: "best" }, icon("star"), frame.short)];
	const { text, short } = frame;
	return [h("span", { class: "line", title: text, "aria-hidden": "true" }, short), h("span", { class: "hidden" }, text)];
}

/** A view of several photos of which one is in view: base of compare and survey. */
class Several extends View {
	/** @type {number[]} */
	ids = [];
	/** Which of them are repaired copies: their numbers came negative. @type {boolean[]} */
	copies = [];
	/** What the server notes on the frames of bursts. @type {Map<number, any>} */
	notes = new Map();

	connectedCallback() {
		this.copies = this.ids.map((id) => id < 0);
		this.ids = this.ids.map(Math.abs);
		const watch = new ResizeObserver(
			([{ contentRect: room }]) =>
				this.style.setProperty("--columns", String(columnsFor(this.ids.length, room.width, room.height))),
		);
		watch.observe(this);
		this.ends.push(() => watch.disconnect());
		this.hear("states", () => this.paint());
		this.hear("place", () => this.paint());
		void this.begin();
	}

	async begin() {
		void this.ask(); // before the pictures, which are many
		await this.review.known.want(this.ids).catch(() => undefined);
		this.build();
		this.paint();
		this.focusPhoto();
	}

	/** Ask once for each burst how its frames differ. */
	async ask() {
		const { library } = this.review;
		for (const id of this.ids) {
			const row = library.row(id);
			if (this.notes.has(id) || (row >= 0 && !library.burst[row])) continue;
			const { burst_view: view } = await get(`photos/${this.now(id)}`).catch(() => ({}));
			for (const each of [{ id }, ...(view?.frames ?? [])]) this.notes.set(each.id, each);
		}
		this.paint();
	}

	build() {}
	paint() {}

	/** The number of a decision as it is now, after an answer made a new one. @param {number} id */
	now(id) {
		return this.review.answers.now(id);
	}

	/** @param {number} id */
	pick(id) {
		this.review.show(this.now(id));
	}

	focusPhoto() {
		const items = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("[data-at]")]);
		const here = this.ids.findIndex((id) => this.now(id) === this.review.id);
		(items[here] ?? items[0])?.focus({ preventScroll: true });
	}
}

/** Compare. With Shift a drag or Control+Shift+arrows move one pane alone; a held pane keeps its photo while the others run. */
export class Compare extends Several {
	/** @type {Place} */
	place = { zoom: 0, x: 0.5, y: 0.5 };
	/** @type {Pane[]} */
	panes = [];

	build() {
		this.panes = this.ids.slice(0, MOST_PANES).map((id, at) => this.pane(id, at, this.copies[at]));
		fill(this, ...this.panes.map(({ el }) => el));
		this.panes.forEach((pane) => this.fillPane(pane));
		this.ends.push(() => this.panes.forEach(({ picture }) => picture.end()));
		this.addEventListener("culld-place", () => this.panes.forEach(({ picture }) => picture.draw()));
	}

	/** @param {number} id @param {number} at @param {boolean} copy @returns {Pane} */
	pane(id, at, copy) {
		const picture = new Picture(this.place);
		const head = h("header", null);
		const el = h(
			"section",
			{
				class: "stage",
				"data-at": at,
				tabindex: 0,
				"aria-label": "Photo",
				focusin: () => this.pick(this.panes[at].id),
			},
			head,
			picture.el,
		);
		return { picture, el, id, copy, head, held: false };
	}

	/** @param {Pane} pane */
	async fillPane(pane) {
		let info = this.review.info(this.now(pane.id));
		if (!info) return;
		if (pane.copy) {
			const { copy } = await get(`photos/${info.id}`).catch(() => ({}));
			if (copy?.state !== "made")
				return (pane.picture.trouble.textContent = `${info.name} has no repaired copy. Press B to ask for it.`);
			info = copyOf(info, copy);
		}
		pane.picture.overlays.defect = this.review.library.worst(this.review.library.row(info.id));
		pane.picture.show(info);
		this.paint();
	}

	paint() {
		for (const pane of this.panes) {
			const id = this.now(pane.id);
			const name = (pane.copy ? pane.picture.info : this.review.info(id))?.name ?? "";
			const state = this.review.state(id);
			const hold = h(
				"button",
				{
					class: "hold",
					"aria-pressed": pane.held,
					title: "Hold: this photo stays while the others run",
					"aria-label": `Hold ${name}`,
					click: () => {
						pane.held = !pane.held;
						this.paint();
						pane.head.querySelector("button")?.focus();
					},
				},
				icon("pin"),
			);
			const had = pane.head.contains(document.activeElement);
			const note = this.notes.get(pane.id);
			const marks = pane.copy ? ["repaired copy"] : [...badge(state), ...line(note), hold];
			fill(pane.head, h("span", { class: "name" }, name), ...marks);
			if (had) hold.focus();
			pane.el.dataset.state = state.replace(" ", "-");
			const words = pane.copy ? marks : [STATES[state]?.word, note?.text].filter(Boolean);
			pane.el.setAttribute("aria-label", `${name}: ${words.join(". ")}`);
			pane.el.classList.toggle("here", id === this.review.id && !pane.copy);
		}
	}

	/** @param {number} dx @param {number} dy the other pane; or the next photos in the panes that are not held */
	move(dx, dy) {
		if (dy || this.copies.includes(true)) return this.turn(dy || dx);
		const { review } = this;
		const free = this.panes.filter(({ held }) => !held);
		const held = new Set(this.panes.filter((pane) => pane.held).map(({ id }) => this.now(id)));
		if (!free.length) return;
		const step = (/** @type {number} */ at) => {
			do at += dx;
			while (held.has(review.library.id[review.rows[at]]));
			return at;
		};
		const places = free.map(({ id }) => step(review.rows.indexOf(review.library.row(this.now(id)))));
		if (places.some((at) => at < 0 || at >= review.rows.length)) return;
		free.forEach((pane, at) => (pane.id = review.library.id[review.rows[places[at]]]));
		this.ids = this.panes.map(({ id }) => id);
		const here = free.find(({ el }) => el.contains(document.activeElement)) ?? free[0];
		void review.known.want(this.ids).then(
			() => {
				free.forEach((pane) => this.fillPane(pane));
				this.pick(here.id);
				this.paint();
				void this.ask();
			},
			() => undefined,
		);
	}

	/** @param {number} step */
	turn(step) {
		const at = this.panes.findIndex(({ el }) => el.contains(document.activeElement));
		this.panes[(at + step + this.panes.length) % this.panes.length]?.el.focus();
	}

	get active() {
		return (this.panes.find(({ el }) => el.contains(document.activeElement)) ?? this.panes[0])?.picture;
	}

	zoom() {
		const over = this.panes.find(({ picture }) => picture.pointer)?.picture ?? this.active;
		over?.zoom(over.zoomed ? 0 : 1, over.pointer);
	}

	/** @param {number} step */
	zoomStep(step) {
		this.active?.step(step);
	}

	/** @param {number} dx @param {number} dy @param {boolean} [alone] */
	pan(dx, dy, alone) {
		this.active?.pan(dx * PAN, dy * PAN, alone);
	}
}

/** The survey: every frame of a burst at once, one of them chosen. */
export class Survey extends Several {
	build() {
		fill(
			this,
			...this.ids.map((id, at) => {
				const info = this.review.info(this.now(id));
				const shown = info && h("img", { src: address(info, "thumb", 640), alt: `${info.name}: ${info.reason}` });
				return h(
					"button",
					{
						class: "frame",
						"data-at": at,
						focus: () => this.pick(id),
						dblclick: () => dispatchEvent(new CustomEvent("culld-open", { detail: this.now(id) })),
					},
					shown,
					h("span", { class: "caption" }),
				);
			}),
		);
	}

	paint() {
		this.querySelectorAll("[data-at]").forEach((item, at) => {
			const id = this.now(this.ids[at]);
			const state = this.review.state(id);
			item.classList.toggle("here", id === this.review.id);
			/** @type {HTMLElement} */ (item).dataset.state = state.replace(" ", "-");
			fill(
				/** @type {Element} */ (item.lastElementChild),
				h("span", { class: "name" }, this.review.info(id)?.name ?? ""),
				...badge(state),
				...line(this.notes.get(this.ids[at])),
			);
		});
	}

	/** @param {number} dx @param {number} dy */
	move(dx, dy) {
		const items = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("[data-at]")]);
		const at = Math.max(
			0,
			items.findIndex((item) => item === document.activeElement),
		);
		const columns = Number(getComputedStyle(this).getPropertyValue("--columns")) || 1;
		items[at + dx + dy * columns]?.focus();
	}
}

customElements.define("culld-compare", Compare);
customElements.define("culld-survey", Survey);
