// The contract suite against a real ZooKeeper.

import { coordinatorContract } from './contract.ts';
import { zookeeperEnvironment } from './zookeeper-environment.ts';

coordinatorContract('zookeeper', zookeeperEnvironment);
