// What an application in Go does with Redis, through redigo. Prints "ok <what>" or "no <what>: <why>" per line.
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"time"

	"github.com/gomodule/redigo/redis"
)

var addr = os.Args[1] + ":" + os.Args[2]
var name = os.Args[3]
var pool = &redis.Pool{Dial: dial, TestOnBorrow: func(c redis.Conn, _ time.Time) error {
	_, err := c.Do("PING")
	return err
}}

func dial() (redis.Conn, error) { return redis.Dial("tcp", addr) }
func k(rest string) string      { return name + ":" + rest }
func t(rest string) string      { return "{" + name + "}:" + rest }

func same(got interface{}, err error) func(wanted interface{}) {
	return func(wanted interface{}) {
		if err != nil {
			panic(err)
		}
		if !reflect.DeepEqual(got, wanted) {
			panic(fmt.Sprintf("got %v, wanted %v", got, wanted))
		}
	}
}

func do(command string, args ...interface{}) (interface{}, error) {
	c := pool.Get()
	defer c.Close()
	return c.Do(command, args...)
}

func connect() { same(redis.String(do("PING")))("PONG") }

func types() {
	same(redis.String(do("SET", k("s"), "v", "EX", 100)))("OK")
	same(redis.String(do("GET", k("s"))))("v")
	same(redis.String(do("MSET", k("a"), 1, k("b"), 2)))("OK")
	same(redis.Strings(do("MGET", k("a"), k("b"), k("none"))))([]string{"1", "2", ""})
	same(redis.Int(do("HSET", k("h"), "f", 1, "g", 2)))(2)
	same(redis.StringMap(do("HGETALL", k("h"))))(map[string]string{"f": "1", "g": "2"})
	same(redis.Int(do("RPUSH", k("l"), "a", "b", "c")))(3)
	same(redis.Strings(do("LRANGE", k("l"), 0, -1)))([]string{"a", "b", "c"})
	same(redis.Int(do("SADD", k("set"), "x")))(1)
	same(redis.Strings(do("SMEMBERS", k("set"))))([]string{"x"})
	same(redis.Int(do("ZADD", k("z"), 1.5, "m", 2, "n")))(2)
	same(redis.StringMap(do("ZRANGE", k("z"), 0, -1, "WITHSCORES")))(map[string]string{"m": "1.5", "n": "2"})
	same(redis.String(do("XADD", k("x"), "1-1", "f", "v")))("1-1")
	same(redis.Int(do("XLEN", k("x"))))(1)
	same(redis.Int(do("PFADD", k("hll"), "a", "b")))(1)
	same(redis.Int(do("PFCOUNT", k("hll"))))(2)
	same(redis.Int(do("GEOADD", k("geo"), 13.361389, 38.115556, "Palermo")))(1)
	same(redis.Int(do("SETBIT", k("bits"), 7, 1)))(0)
	same(redis.Int(do("BITCOUNT", k("bits"))))(1)
	same(redis.Int(do("DEL", k("a"), k("b"), k("s"))))(3)
}

func pipeline() {
	c := pool.Get()
	defer c.Close()
	for i := 0; i < 100; i++ {
		c.Send("SET", k(fmt.Sprint("p", i)), i)
		c.Send("GET", k(fmt.Sprint("p", i)))
	}
	c.Flush()
	for i := 0; i < 100; i++ {
		same(redis.String(c.Receive()))("OK")
		same(redis.Int(c.Receive()))(i)
	}
}

func transaction() {
	c := pool.Get()
	defer c.Close()
	c.Send("MULTI")
	c.Send("SET", t("tx"), 1)
	c.Send("INCR", t("tx"))
	same(c.Do("EXEC"))([]interface{}{"OK", int64(2)})
	same(redis.String(c.Do("WATCH", t("tx"))))("OK")
	same(redis.String(do("SET", t("tx"), "changed")))("OK")
	c.Send("MULTI")
	c.Send("SET", t("tx"), "lost")
	same(c.Do("EXEC"))(nil)
	same(redis.String(c.Do("GET", t("tx"))))("changed")
}

func pubsub() {
	c, err := dial()
	if err != nil {
		panic(err)
	}
	defer c.Close()
	s := redis.PubSubConn{Conn: c}
	s.Subscribe(k("channel"))
	if _, ok := s.ReceiveWithTimeout(10 * time.Second).(redis.Subscription); !ok {
		panic("no confirmation")
	}
	do("PUBLISH", k("channel"), "hello")
	message, ok := s.ReceiveWithTimeout(10 * time.Second).(redis.Message)
	if !ok || string(message.Data) != "hello" {
		panic("no message")
	}
}

func blocking() {
	same(do("BLPOP", k("queue"), 1))(nil)
	go func() {
		time.Sleep(200 * time.Millisecond)
		do("RPUSH", k("queue"), "job")
	}()
	same(redis.Strings(do("BLPOP", k("queue"), 20)))([]string{k("queue"), "job"})
}

func script() {
	c := pool.Get()
	defer c.Close()
	incrby := redis.NewScript(1, "return redis.call('incrby', KEYS[1], ARGV[1])")
	same(redis.Int(incrby.Do(c, k("n"), 10)))(10)
	same(redis.Int(incrby.Do(c, k("n"), 1)))(11)
	sha, err := redis.String(do("SCRIPT", "LOAD", "return ARGV[1]"))
	same(redis.Ints(do("SCRIPT", "EXISTS", sha)))([]int{1})
	same(redis.String(do("EVALSHA", sha, 1, k("n"), "x")))("x")
	if err != nil {
		panic(err)
	}
}

func scan() {
	wanted := []string{}
	for i := 0; i < 50; i++ {
		do("SET", k(fmt.Sprint("scan:", i)), i)
		wanted = append(wanted, k(fmt.Sprint("scan:", i)))
	}
	seen := map[string]bool{}
	for cursor := "0"; ; {
		page, err := redis.Values(do("SCAN", cursor, "MATCH", k("scan:*"), "COUNT", 20))
		if err != nil {
			panic(err)
		}
		keys, _ := redis.Strings(page[1], nil)
		for _, key := range keys {
			seen[key] = true
		}
		if cursor, _ = redis.String(page[0], nil); cursor == "0" {
			break
		}
	}
	got := []string{}
	for key := range seen {
		got = append(got, key)
	}
	sort.Strings(got)
	sort.Strings(wanted)
	same(got, nil)(wanted)
}

func reconnect() {
	id, err := redis.Int64(do("CLIENT", "ID"))
	if err != nil {
		panic(err)
	}
	c, _ := dial()
	c.Do("CLIENT", "KILL", "ID", id)
	same(redis.String(do("SET", k("after"), 1)))("OK")
	same(redis.Int(do("GET", k("after"))))(1)
}

func run(what string, check func()) {
	defer func() {
		if why := recover(); why != nil {
			fmt.Printf("no %s: %v\n", what, why)
		}
	}()
	check()
	fmt.Println("ok " + what)
}

func main() {
	run("connect", connect)
	run("types", types)
	run("pipeline", pipeline)
	run("transaction", transaction)
	run("pubsub", pubsub)
	run("blocking", blocking)
	run("script", script)
	run("scan", scan)
	run("reconnect", reconnect)
}
