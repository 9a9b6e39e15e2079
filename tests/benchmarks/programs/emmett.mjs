// The same bank with emmett: its command handler around a decision, on its SQLite or its PostgreSQL store.
// It speaks what `protocol.py` says. Environment: EMMETT_MODULES (where npm has put it), and EMMETT_SQLITE (a file)
// or EMMETT_POSTGRESQL (a URL).
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.EMMETT_MODULES}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const AMOUNT = 100;
console.log = console.error; // its SQLite store says there what goes wrong; standard output is for the answers
const say = (answer) => process.stdout.write(`${answer}\n`);
const { CommandHandler } = await load("@event-driven-io/emmett");

async function openStore() {
  if (process.env.EMMETT_SQLITE) {
    const sqlite = await load("@event-driven-io/emmett-sqlite");
    return sqlite.getSQLiteEventStore({ fileName: process.env.EMMETT_SQLITE, schema: { autoMigration: "CreateOrUpdate" } });
  }
  const postgresql = await load("@event-driven-io/emmett-postgresql");
  const store = postgresql.getPostgreSQLEventStore(process.env.EMMETT_POSTGRESQL);
  await store.schema.migrate();
  return store;
}

const evolve = (state, { type, data }) =>
  type === "Opened" ? { open: true, balance: 0 } : { ...state, balance: state.balance + data.amount };
const handle = CommandHandler({ evolve, initialState: () => ({ open: false, balance: 0 }) });
const metadata = { actor: "teller" };
const stream = (accountId) => `account:${accountId}`;
const deposited = (accountId) => ({ type: "Deposited", data: { accountId, amount: AMOUNT }, metadata });

const deposit = (store, accountId) =>
  insist(() =>
    handle(store, stream(accountId), (state) => {
      if (!state.open) throw new Error(`there is no account ${accountId}`);
      return deposited(accountId);
    }),
  );

// Its SQLite store opens a file for every call, and now and then cannot commit for a statement of its own under way.
async function insist(work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error.code !== "SQLITE_BUSY" && error.code !== "SQLITE_ERROR") throw error;
    }
  }
}

const store = await openStore();
let accounts = [];
for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...words] = line.split(" ");
  const numbers = words.map(Number);
  if (order === "fill") {
    const [first, count, events] = numbers;
    for (let accountId = first; accountId < first + count; accountId++) {
      const opened = { type: "Opened", data: { accountId, accountHolder: "Josh" }, metadata };
      const others = Array.from({ length: events - 1 }, () => deposited(accountId));
      await insist(() => store.appendToStream(stream(accountId), [opened, ...others]));
    }
    say("ready");
  } else if (order === "prepare") {
    const [first, count, step] = numbers;
    accounts = Array.from({ length: count }, (_, number) => first + step * number);
    say("ready");
  } else if (order === "warm") {
    for (const accountId of accounts) await deposit(store, accountId);
    say("ready");
  } else if (order === "go") {
    const started = performance.now();
    for (const accountId of accounts) await deposit(store, accountId);
    say((performance.now() - started) / 1000);
  } else throw new Error(order);
}
process.exit(0);
