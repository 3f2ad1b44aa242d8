"use strict";

function show(panels) {
  const wanted = document.querySelectorAll(`[data-switch="${panels}"] button[aria-pressed="true"]`);
  for (const panel of document.querySelectorAll(`[data-panel="${panels}"]`))
    panel.hidden = [...wanted].some((button) => panel.dataset[button.name] !== button.value);
}

function press(button) {
  for (const each of button.parentElement.children) each.setAttribute("aria-pressed", String(each === button));
  show(button.parentElement.dataset.switch);
}

for (const button of document.querySelectorAll("[data-switch] button"))
  button.addEventListener("click", () => press(button));

for (const button of document.querySelectorAll(".enlarge"))
  button.addEventListener("click", () => {
    const isLarge = button.closest("figure").classList.toggle("large");
    button.textContent = isLarge ? "reduce" : "enlarge";
  });

// The table of scenes: its rows come as data, of which a page holds thousands more easily than cells.
const SPLIT = 0, DRIVE = 1, SCENE = 2, MEAN_IOU = 4, OF_CLASSES = 6, FEW = 20;
const { classes, rows, pictured } = JSON.parse(document.getElementById("scene-table").textContent);
const ofWhole = ["split", "drive", "scene", "pixels", "mean IoU", "pixel accuracy"];
const ofClass = ["IoU", "boundary F1"];
const columns = [
  ...ofWhole.map((title) => ({ title, class: null })),
  ...classes.flatMap((name) => ofClass.map((score) => ({ title: `${score} ${name}`, class: name }))),
];
const section = document.getElementById("scenes");
const selects = Object.fromEntries([...section.querySelectorAll("select")].map((each) => [each.name, each]));
const more = section.querySelector(".more");
const pictureOf = new Map(pictured.map((scene, index) => [scene, `picture-${index}`]));
const order = new Intl.Collator(undefined, { numeric: true }).compare;
const state = { sortedBy: MEAN_IOU, isDescending: false, isWhole: false };

// A scene has scores only of the classes that occur in it.
function valueOf(row, index) {
  const place = index - OF_CLASSES;
  return place < 0 ? row[index] : (row[OF_CLASSES][Math.floor(place / 2)]?.[place % 2] ?? null);
}

function chosenColumns() {
  const name = selects.class.value;
  const isShown = (column, index) =>
    column.class === null || (name ? column.class === name : index % 2 === 0 && classes.length <= FEW);
  return [...columns.keys()].filter((index) => isShown(columns[index], index));
}

function compareRows(one, other) {
  const [first, second] = [valueOf(one, state.sortedBy), valueOf(other, state.sortedBy)];
  if (first === null || second === null) return (first === null) - (second === null); // undefined comes last, always
  const difference = typeof first === "number" ? first - second : order(first, second);
  return state.isDescending ? -difference : difference;
}

function chosenRows() {
  const { split, drive } = selects;
  const id = classes.indexOf(selects.class.value);
  const isChosen = (row) =>
    (!split.value || row[SPLIT] === split.value) &&
    (!drive.value || row[DRIVE] === drive.value) &&
    (id < 0 || valueOf(row, OF_CLASSES + 2 * id) !== null);
  return rows.filter(isChosen).sort(compareRows);
}

function cell(row, index) {
  const element = document.createElement("td");
  const value = valueOf(row, index);
  if (index === SCENE && pictureOf.has(value)) {
    const link = element.appendChild(document.createElement("a"));
    link.href = `#${pictureOf.get(value)}`;
    link.textContent = value;
    const choose = `[data-switch="gallery"] button[value="${CSS.escape(row[SPLIT])}"]`;
    link.addEventListener("click", () => press(document.querySelector(choose)));
  } else if (value === null) element.textContent = "\u2013";
  else if (typeof value === "string") element.textContent = value;
  else element.textContent = columns[index].title === "pixels" ? value.toLocaleString("en") : value.toFixed(4);
  element.classList.toggle("text", index <= SCENE);
  return element;
}

function heading(index) {
  const element = document.createElement("th");
  const button = element.appendChild(document.createElement("button"));
  button.type = "button";
  button.textContent = columns[index].title;
  element.scope = "col";
  element.classList.toggle("text", index <= SCENE);
  if (index === state.sortedBy) element.ariaSort = state.isDescending ? "descending" : "ascending";
  button.addEventListener("click", () => {
    state.isDescending = state.sortedBy === index && !state.isDescending;
    state.sortedBy = index;
    fillTable();
  });
  return element;
}

function fillTable() {
  const shownColumns = chosenColumns();
  const found = chosenRows();
  const shown = state.isWhole ? found : found.slice(0, FEW);
  const head = document.createElement("tr");
  head.append(...shownColumns.map(heading));
  section.querySelector("thead").replaceChildren(head);
  const bodyRows = shown.map((row) => {
    const element = document.createElement("tr");
    element.append(...shownColumns.map((index) => cell(row, index)));
    return element;
  });
  section.querySelector("tbody").replaceChildren(...bodyRows);
  section.querySelector(".shown").textContent = `${shown.length} of ${found.length} scenes`;
  more.hidden = found.length <= FEW;
  more.textContent = state.isWhole ? `show ${FEW}` : "show all";
}

function listDrives() {
  const ofSplit = rows.filter((row) => !selects.split.value || row[SPLIT] === selects.split.value);
  const drives = [...new Set(ofSplit.map((row) => row[DRIVE]))].sort(order);
  selects.drive.replaceChildren(new Option("all", ""), ...drives.map((drive) => new Option(drive, drive)));
}

selects.split.addEventListener("change", () => {
  listDrives();
  fillTable();
});
selects.drive.addEventListener("change", fillTable);
selects.class.addEventListener("change", () => {
  const id = classes.indexOf(selects.class.value);
  Object.assign(state, { sortedBy: id < 0 ? MEAN_IOU : OF_CLASSES + 2 * id, isDescending: false });
  fillTable();
});
more.addEventListener("click", () => {
  state.isWhole = !state.isWhole;
  fillTable();
});
selects.class.append(...classes.map((name) => new Option(name, name)));
listDrives();
fillTable();
