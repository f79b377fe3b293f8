/** @file One photo, large: with its burst below it. */

import { address } from "./api.js";
import { fill, h, icon, View } from "./dom.js";
import { mapOf, strongest } from "./overlays.js";
import { Picture, prefetch } from "./picture.js";
import { STATES } from "./words.js";

/** @typedef {import("./picture.js").Place} Place */

const BEHIND = 1;
const AHEAD = 4;
const DWELL_MS = 350;
const PAN = 0.25;
const MOST_FRAMES = 60;
const FILM_PX = 60;

/** The view of one photo. */
export class Photo extends View {
	/** @type {Place} */
	place = { zoom: 0, x: 0.5, y: 0.5 };
	picture = new Picture(this.place);
	stage = h("div", { class: "stage", tabindex: 0, role: "group", "aria-label": "Photo" }, this.picture.el);
	/** The frames of the burst of a photo. @type {(id: number) => Promise<number[]>} */
	burst = async (id) => [id];
	/** The repaired copy that is shown in place of the photo. @type {import("./api.js").Info | null} */
	copy = null;
	direction = 1;
	timer = 0;
	/** Tells readers of the screen which photo came. */
	heard = h("p", { class: "hidden", "aria-live": "polite" });
	strip = h("ul", { class: "strip", "aria-label": "The burst" });

	connectedCallback() {
		this.stage.addEventListener("culld-swipe", (event) => this.move(/** @type {CustomEvent} */ (event).detail, 0));
		fill(this, this.stage, this.strip, this.heard);
		for (const name of ["list", "place"]) this.hear(name, () => this.show());
		this.hear("states", () => this.paint());
		this.ends.push(() => {
			this.picture.end();
			clearTimeout(this.timer);
		});
		this.show();
	}

	async show() {
		const { review } = this;
		const { id, row, at } = review;
		if (!id) return;
		clearTimeout(this.timer);
		const ids = this.near(at);
		if (!review.info(id)) await review.known.want([id]).catch(() => undefined);
		const info = review.info(id);
		if (!info || id !== review.id) return;
		this.picture.overlays.defect = review.library.worst(row);
		if (this.copy?.id !== id) this.copy = null;
		this.picture.show(this.copy ?? info);
		this.paint();
		await review.known.want(ids).catch(() => undefined);
		if (id !== review.id) return;
		prefetch(ids.map((other) => review.info(other)).filter((other) => other !== undefined));
		this.film();
		this.timer = setTimeout(() => void this.map(), DWELL_MS);
	}

	/** Show the repaired copy in place of the photo, or the photo (null). @param {import("./api.js").Info | null} copy */
	showCopy(copy) {
		this.copy = copy;
		void this.show();
	}

	/** The photos that may come next: ahead in the direction of travel, then behind. @param {number} at */
	near(at) {
		const { rows, library } = this.review;
		const steps = Array.from({ length: AHEAD }, (_, step) => this.direction * (step + 1)).concat(
			-this.direction * BEHIND,
		);
		return steps
			.map((step) => at + step)
			.filter((to) => to >= 0 && to < rows.length)
			.map((to) => library.id[rows[to]]);
	}

	/** The heat map of the photo in view, if a defect was found. */
	map() {
		const { review } = this;
		const info = review.info(review.id);
		const head = review.library.worst(review.row);
		if (!info || !review.library.tagged[review.row] || head === "focus") return null;
		return mapOf(info, head).catch(() => null);
	}

	paint() {
		const { review } = this;
		if (!review.id) return;
		const state = review.state(review.id);
		const info = this.copy ?? review.info(review.id);
		this.stage.dataset.state = state.replace(" ", "-");
		const text = `${info?.name ?? "Photo"}: ${this.copy ? "repaired copy. " : ""}${STATES[state]?.word ?? state}. ${review.at + 1} of ${review.rows.length}`;
		this.stage.setAttribute("aria-label", text);
		if (this.heard.textContent !== text) this.heard.textContent = text;
		document.title = `${info?.name ?? "culld"} – culld`;
		for (const item of this.strip.querySelectorAll("button")) this.mark(item);
	}

	/** The frames of the burst, as buttons. */
	film() {
		const { review } = this;
		const { id } = review;
		void this.burst(id).then(
			async (all) => {
				const ids = all.slice(0, MOST_FRAMES);
				if (id !== review.id) return;
				this.strip.hidden = ids.length < 2;
				await review.known.want(ids);
				const key = ids.join();
				if (this.strip.dataset.key !== key) {
					this.strip.dataset.key = key;
					fill(this.strip, ...ids.map((id) => h("li", null, this.frame(id))));
				}
				this.paint();
			},
			() => undefined,
		);
	}

	/** @param {number} id */
	frame(id) {
		const info = this.review.info(id);
		const go = () => this.review.show(id);
		return h(
			"button",
			{ click: go, "data-id": id, title: info?.name },
			info &&
				h("img", {
					src: address(info, "thumb"),
					loading: "lazy",
					alt: info.name,
					height: FILM_PX,
					width: Math.round((FILM_PX * (info.width || 3)) / (info.height || 2)),
				}),
			h("span", { class: "mark" }),
		);
	}

	/** @param {HTMLElement} item */
	mark(item) {
		const id = Number(item.dataset.id);
		const state = this.review.state(id);
		item.setAttribute("aria-current", String(id === this.review.id));
		item.dataset.state = state.replace(" ", "-");
		fill(
			/** @type {Element} */ (item.querySelector(".mark")),
			icon(STATES[state]?.icon ?? "dot"),
			h("span", { class: "hidden" }, STATES[state]?.word),
		);
		if (id === this.review.id) item.scrollIntoView({ block: "nearest", inline: "nearest" });
	}

	focusPhoto() {
		this.stage.focus({ preventScroll: true });
	}

	/** @param {number} dx @param {number} dy */
	move(dx, dy) {
		this.direction = dx || dy;
		if (dy) this.review.series(dy);
		else this.review.go(this.review.at + dx);
	}

	/** Zoom to 100 % at the pointer, else at the strongest place of the heat map; or back. */
	async zoom() {
		const { picture } = this;
		if (picture.zoomed) return picture.zoom(0, null);
		picture.zoom(1, picture.pointer);
		const { x, y } = this.place;
		const map = picture.pointer ? null : await this.map();
		if (map && this.place.zoom === 1 && this.place.x === x && this.place.y === y) picture.zoom(1, null, strongest(map));
	}

	/** @param {number} step */
	zoomStep(step) {
		this.picture.step(step, this.picture.pointer);
	}

	/** @param {number} dx @param {number} dy */
	pan(dx, dy) {
		this.picture.pan(dx * PAN, dy * PAN);
	}
}

customElements.define("culld-photo", Photo);
