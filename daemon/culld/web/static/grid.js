/** @file The grid of photos: fixed tiles, of which only those near the window are in the document. */

import { address } from "./api.js";
import { fill, h, icon, View } from "./dom.js";
import { chosen } from "./settings.js";
import { badge, letter } from "./why.js";
import { STATES } from "./words.js";

const WIDTHS = { small: 150, medium: 208, large: 300 };
const TEXT_PX = 30;
const GAP_PX = 8;
const MOST_TILES = 200;
const MOST_PX = 8_000_000;
const SPARE_ROWS = 1;

/** The grid. */
export class Grid extends View {
	/** @type {() => void} */
	open = () => undefined;
	columns = 1;
	tile = { w: 1, h: 1 };
	room = { w: 0, h: 0 };
	/** @type {Map<number, HTMLElement>} */
	cells = new Map();
	space = h("div", { class: "space", role: "presentation" });
	box = h(
		"div",
		{ class: "scroller", role: "grid", "aria-label": "Photos", "aria-multiselectable": "true" },
		this.space,
	);
	note = h("div", { class: "empty" });
	frame = 0;
	/** What the tiles were made for; others are made when it changes. */
	shape = "";
	/** Whether the photo gets the focus as soon as its tile is there. */
	wants = false;

	connectedCallback() {
		fill(this, this.note, this.box);
		const watch = new ResizeObserver(([{ contentRect }]) => {
			this.room = { w: contentRect.width, h: contentRect.height };
			this.measure();
		});
		watch.observe(this.box);
		this.box.addEventListener("scroll", () => this.soon());
		this.hear("list", () => this.reset());
		this.hear("place", () => this.reveal());
		this.hear("states", () => this.redraw());
		this.hear("selection", () => this.redraw());
		const settings = () => this.measure();
		addEventListener("culld-settings", settings);
		this.ends.push(
			() => watch.disconnect(),
			() => removeEventListener("culld-settings", settings),
		);
		this.reset();
	}

	get lines() {
		return Math.ceil(this.review.rows.length / this.columns);
	}

	/** The height of all rows, which may be more than a browser can lay out. */
	get tall() {
		return this.lines * this.tile.h + GAP_PX;
	}

	measure() {
		const width = WIDTHS[chosen.tile];
		const least = Math.sqrt((this.room.w * this.room.h * 1.25) / (MOST_TILES * 0.8));
		this.columns = Math.max(
			1,
			Math.floor((this.room.w - GAP_PX) / (Math.max(Math.min(width, (this.room.w - 24) / 2), least) + GAP_PX)),
		);
		const w = Math.floor((this.room.w - GAP_PX) / this.columns);
		this.tile = { w, h: Math.round((w - GAP_PX) / 1.5) + TEXT_PX + GAP_PX };
		this.reset();
	}

	reset() {
		const { rows } = this.review;
		this.wants ||= this.contains(document.activeElement);
		const shape = `${this.columns} ${this.tile.w} ${rows.length > 0}`;
		if (shape !== this.shape) {
			this.cells.clear();
			this.space.replaceChildren();
		}
		this.shape = shape;
		this.classList.toggle("none", !rows.length);
		this.box.setAttribute("aria-rowcount", String(this.lines));
		this.box.setAttribute("aria-colcount", String(this.columns));
		if (!rows.length) fill(this.note, ...this.nothing());
		this.space.style.height = `${Math.min(this.tall, MOST_PX)}px`;
		if (this.room.w) this.reveal(false);
	}

	nothing() {
		const { review } = this;
		const all = h(
			"button",
			{
				class: "main",
				click: () => {
					review.filter.clear();
					review.list();
				},
			},
			"Show all photos",
		);
		if (!review.library.length)
			return [
				h("h2", null, "Nothing was tagged or rejected"),
				h("p", null, "culld lists photos here as soon as it tags or rejects one."),
			];
		return [
			h("h2", null, "No photo passes the filter"),
			h(
				"p",
				null,
				review.filter.wanted.answer?.has("open")
					? "Every photo of this filter is answered."
					: "Choose another value on the left.",
			),
			all,
		];
	}

	/** How far the scroll bar stands from the true place when the list is too high for a browser. */
	get factor() {
		const bar = Math.min(this.tall, MOST_PX) - this.room.h;
		return bar > 0 ? Math.max(1, (this.tall - this.room.h) / bar) : 1;
	}

	get offset() {
		return this.box.scrollTop * this.factor;
	}

	/** Bring the photo in view into the window. @param {boolean} [focus] */
	reveal(focus = true) {
		const top = Math.floor(this.review.at / this.columns) * this.tile.h;
		const low = top + this.tile.h + GAP_PX - this.room.h;
		if (this.offset > top || this.offset < low)
			this.box.scrollTop = (this.offset > top ? top : low) / this.factor;
		this.draw();
		if (focus) this.focusPhoto();
	}

	focusPhoto() {
		const cell = this.cells.get(this.review.at);
		this.wants = !cell;
		if (cell) cell.focus({ preventScroll: true });
		else this.note.querySelector("button")?.focus();
	}

	soon() {
		cancelAnimationFrame(this.frame);
		this.frame = requestAnimationFrame(() => this.draw());
	}

	/** Put the tiles of the window into the document, and take the others out. */
	draw() {
		if (!this.room.h) return;
		const first = Math.max(0, Math.floor(this.offset / this.tile.h) - SPARE_ROWS);
		const last = Math.min(this.lines, Math.ceil((this.offset + this.room.h) / this.tile.h) + SPARE_ROWS);
		const base = this.offset - this.box.scrollTop;
		const kept = new Map();
		const made = [];
		const here = Math.floor(this.review.at / this.columns);
		const lines = Array.from({ length: Math.max(0, last - first) }, (_, step) => first + step);
		if (here < first) lines.unshift(here);
		else if (here >= last && here < this.lines) lines.push(here);
		for (const line of lines) {
			const cells = [];
			for (let at = line * this.columns; at < Math.min((line + 1) * this.columns, this.review.rows.length); at++) {
				const cell = this.cells.get(at) ?? this.cell(at);
				kept.set(at, cell);
				cells.push(cell);
			}
			const old = /** @type {HTMLElement | null} */ (cells[0]?.parentElement);
			const row =
				old?.getAttribute("aria-rowindex") === String(line + 1)
					? old
					: h("div", { role: "row", class: "row", "aria-rowindex": line + 1 }, ...cells);
			for (const cell of cells) if (cell.parentElement !== row) row.append(cell);
			for (const cell of [...row.children]) if (!cells.includes(/** @type {any} */ (cell))) cell.remove();
			row.style.transform = `translateY(${line * this.tile.h - base + GAP_PX}px)`;
			made.push(row);
		}
		this.cells = kept;
		const stays = new Set(made);
		for (const row of [...this.space.children]) if (!stays.has(/** @type {any} */ (row))) row.remove();
		made.forEach((row) => row.isConnected || this.space.append(row));
		this.redraw();
		if (this.wants) this.focusPhoto();
		const ids = [...kept.keys()].map((at) => this.review.library.id[this.review.rows[at]]);
		void this.review.known.want(ids).then(
			() => this.redraw(),
			() => undefined,
		);
	}

	/** @param {number} at */
	cell(at) {
		const picture = h("span", { class: "thumb" });
		const marks = h("span", { class: "marks" });
		const text = h("span", { class: "caption" });
		const cell = h(
			"div",
			{ role: "gridcell", class: "tile", "aria-colindex": (at % this.columns) + 1 },
			picture,
			marks,
			text,
		);
		cell.style.width = `${this.tile.w - GAP_PX}px`;
		cell.style.height = `${this.tile.h - GAP_PX}px`;
		cell.addEventListener("click", (event) => {
			const { review } = this;
			if (event.shiftKey) review.select(this.between(review.at, at));
			else if (event.ctrlKey || event.metaKey) review.toggle(review.library.id[review.rows[at]]);
			else if (at === review.at && event.detail > 1) return this.open();
			if (!review.go(at)) this.focusPhoto();
		});
		cell.addEventListener("dblclick", () => this.open());
		return cell;
	}

	/** @param {number} a @param {number} b */
	between(a, b) {
		const { rows, library } = this.review;
		return [...rows.subarray(Math.min(a, b), Math.max(a, b) + 1)].map((row) => library.id[row]);
	}

	redraw() {
		for (const [at, cell] of this.cells) this.paint(at, cell);
	}

	/** @param {number} at @param {HTMLElement} cell */
	paint(at, cell) {
		const { review } = this;
		const row = review.rows[at];
		const id = review.library.id[row];
		const info = review.info(id);
		const state = review.state(id);
		const chosenNow = review.selected.has(id);
		cell.tabIndex = at === review.at ? 0 : -1;
		cell.setAttribute("aria-selected", String(chosenNow));
		cell.classList.toggle("here", at === review.at);
		const key = `${id} ${info?.digest} ${state} ${chosenNow} ${review.answers.pending.has(id)}`;
		if (cell.dataset.key === key) return;
		cell.dataset.key = key;
		cell.dataset.state = state.replace(" ", "-");
		const [picture, marks, text] = cell.children;
		const defects = review.library.defects(row);
		if (!info && picture.querySelector("img")?.dataset.id !== `${id}`) picture.replaceChildren();
		if (info) {
			const alt = `${info.name}: ${STATES[state]?.word}, ${info.reason}`;
			const size = this.tile.w * devicePixelRatio > 340 ? 640 : undefined;
			const old = picture.querySelector("img");
			if (old?.dataset.id === `${id}`) old.alt = alt;
			else fill(picture, h("img", { src: address(info, "thumb", size), alt, "data-id": id, decoding: "async" }));
		}
		fill(
			marks,
			h("span", { class: "letters", "aria-hidden": "true" }, ...defects.map(letter)),
			chosenNow && h("span", { class: "chosen" }, icon("tick")),
		);
		fill(
			text,
			h("span", { class: "name", "aria-hidden": "true" }, info?.name ?? " "),
			h("span", { "aria-hidden": "true", class: review.answers.pending.has(id) ? "waits" : "" }, ...badge(state)),
		);
	}

	/** @param {number} dx @param {number} dy */
	move(dx, dy) {
		const { review } = this;
		const to = review.at + dx + dy * this.columns;
		review.go(dy ? to : Math.max(0, Math.min(review.rows.length - 1, to)));
		this.focusPhoto();
	}

	/** @param {"Home" | "End" | "PageUp" | "PageDown"} key */
	jump(key) {
		const { review } = this;
		const page = Math.max(1, Math.floor(this.room.h / this.tile.h)) * this.columns;
		const to = { Home: 0, End: review.rows.length - 1, PageUp: review.at - page, PageDown: review.at + page }[key];
		review.go(Math.max(0, Math.min(review.rows.length - 1, to)));
		this.focusPhoto();
	}
}

customElements.define("culld-grid", Grid);
