// What a program written with @microsoft/openpai-js-sdk does with a cluster; prints one JSON object.
const { PAIV2 } = require(process.env.SDK);

const user = process.env.STRANGERS_USER;
const cluster = {
  rest_server_uri: process.env.STRANGERS_URI,
  username: user,
  password: process.env.STRANGERS_PASSWORD,
};
const config = {
  protocolVersion: 2,
  name: "from-js",
  type: "job",
  prerequisites: [{ name: "image", type: "dockerimage", uri: "python:3.11" }],
  taskRoles: {
    worker: {
      instances: 1,
      dockerImage: "image",
      resourcePerInstance: { cpu: 1, memoryMB: 64, gpu: 0 },
      commands: ["echo hello", "sleep 600"],
    },
  },
};

async function until(ask) {
  for (let i = 0; i < 600; i++) {
    const found = await ask();
    if (found) return found;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error("in vain: " + ask);
}

async function main() {
  const client = new PAIV2.OpenPAIClient(cluster);
  const seen = {};
  seen.info = await client.api.getClusterInfo();
  const login = await client.authn.basicLogin();
  seen.login = { user: login.user, admin: login.admin };
  seen.created = await client.job.createJob(config);
  const state = async () => (await client.job.getJob(user, "from-js")).jobStatus.state;
  await until(async () => (await state()) === "RUNNING");
  seen.config = (await client.job.getJobConfig(user, "from-js")).name;
  seen.listed = (await client.job.listJobs({ username: user })).map((job) => job.name);
  seen.task = (await client.job.getTask(user, "from-js", 0, "worker", 0)).attempts.length;
  const logs = await client.job.getTaskLogs(user, "from-js", 0, "worker", 0, 0, true);
  seen.logs = logs.locations.map((location) => location.name).sort();
  await client.job.addTag(user, "from-js", "blue");
  seen.tags = (await client.job.getJob(user, "from-js")).tags;
  await client.job.deleteTag(user, "from-js", "blue");
  seen.events = (await client.job.listEvents(user, "from-js")).data.length > 0;
  await client.job.updateJobExecutionType(user, "from-js", "STOP");
  await until(async () => (await state()) === "STOPPED");
  seen.healthz = (await client.jobHistory.getJobAttemptsHealthz(user, "from-js")).code || "ok";
  seen.attempts = (await client.jobHistory.getJobAttempts(user, "from-js")).length;
  seen.attempt = (await client.jobHistory.getJobAttempt(user, "from-js", 0)).state;
  seen.virtualClusters = Object.keys(await client.virtualCluster.listVirtualClusters());
  await client.virtualCluster.getVirtualCluster("default");
  seen.storages = (await client.storage.getStorages()).storages.map((storage) => storage.name);
  seen.storage = (await client.storage.getStorage("local-storage")).type;
  const group = { groupname: "team", description: "", externalName: "", extension: {} };
  await client.group.createGroup(group);
  seen.groups = (await client.group.getAllGroup()).map((group) => group.groupname).sort();
  const bob = { username: "bob", password: "secret1", email: "bob@example.com", virtualCluster: ["default"], admin: false, extension: {} };
  await client.user.createUser(bob);
  await client.user.updateUserGroup("bob", "team");
  seen.members = (await client.group.getGroupMembers("team")).map((user) => user.username);
  await client.user.deleteUserGroup("bob", "team");
  seen.email = (await client.user.getUser("bob")).email;
  await client.user.deleteUser("bob");
  seen.users = (await client.user.getAllUser()).map((user) => user.username);
  await client.group.deleteGroup("team");
  seen.application = (await client.token.createApplicationToken()).application;
  seen.tokens = Object.keys(await client.token.getTokens());
  seen.logout = (await client.authn.basicLogout()) !== undefined;
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
