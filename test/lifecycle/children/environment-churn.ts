/**
 * Asynchronous calls while the main thread adds environment variables, each of which may move all of them in memory.
 * Prints how many calls were answered.
 */
import { contrastiveLoss } from '../../../lib';

export interface ChurnAnswer {
  calls: number;
  variables: number;
}

async function run({ milliseconds }: { milliseconds: number }): Promise<void> {
  const one = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] as [number, number] };
  const end = performance.now() + milliseconds;
  const answer: ChurnAnswer = { calls: 0, variables: 0 };
  const call = async () => {
    while (performance.now() < end) {
      await contrastiveLoss(one, one);
      answer.calls++;
    }
  };
  const callers = Array.from({ length: 50 }, call);
  const held: ArrayBuffer[] = [];
  const add = (count: number) => {
    for (let i = 0; i < count; i++) {
      process.env[`INFCL_TEST_${answer.variables++}`] = 'value';
      held.push(new ArrayBuffer(64)); // behind the list of variables, which cannot grow where it is
    }
  };
  const churn = () => {
    add(20);
    if (performance.now() < end) setImmediate(churn);
  };
  churn();
  await Promise.all(callers);
  console.log(JSON.stringify(answer));
}

void run(JSON.parse(process.argv[2]!));
