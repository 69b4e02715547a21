"""PyTorch's side of the bench: the same models, batches, optimiser (SGD) and clipping (global norm 5) as seqbench and
seqtrain, truncated back-propagation with the carried state detached. Reads commands, answers each with a line:

    train CELL V L H B T KIND THREADS SECONDS   -> tokens a second of that many seconds of steps (one step at least)
    ddp   CELL V L H B T STEPS                  -> tokens a second of two processes, gradients over gloo
    sample CELL V L H B KIND TOKENS             -> tokens a second of one thread
    ragged TASK V E L H K FILE KIND SECONDS     -> tokens a second of one thread, passes over the batches of FILE (a line
                                                   of lengths each): bidirectional LSTM on packed sequences, K classes of
                                                   sentences (TASK classify) or tokens (tag), Adam, clipping
    pairs ORDER V E H D FILE KIND SECONDS       -> target tokens a second of one thread, passes over the batches of FILE (a
                                                   line of pairs of lengths each): bidirectional LSTM of H units on
                                                   packed sequences, a decoder of D with attention (ORDER luong, feeding
                                                   or bahdanau), Adam, clipping
    ctc T K U B SECONDS                         -> items a second of one thread: ctc_loss and its gradient to given ln p

KIND is fp32, bf16 (autocast), either with -native behind it (without oneDNN) or with -compiled (torch.compile). What
this machine or PyTorch cannot do has the rate 0. One thread is measured in processor time, as seqbench does, several in
wall-clock time. A model stays in memory until another one is asked for.
"""
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class LanguageModel(nn.Module):
    def __init__(self, cell, vocabulary, layers, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.rnn = (nn.LSTM if cell == "lstm" else nn.GRU)(hidden, hidden, layers)
        self.output = nn.Linear(hidden, vocabulary)

    def forward(self, tokens, state):
        hidden, state = self.rnn(self.embedding(tokens), state)
        return self.output(hidden.flatten(0, 1)), state


class Ragged:
    """As bench_ragged.c. Words are embedded after packing, so no padding is computed anywhere."""

    def __init__(self, task, vocabulary, embedding, layers, hidden, classes, file):
        torch.manual_seed(1)
        self.tags = task == "tag"
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.rnn = nn.LSTM(embedding, hidden, layers, bidirectional=True)
        self.output = nn.Linear(2 * hidden, classes)
        self.parameters = [p for part in (self.embedding, self.rnn, self.output) for p in part.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, lr=0.001, fused=True)
        self.batches = [self.batch([int(length) for length in line.split()], vocabulary, classes) for line in open(file)]
        self.tokens = sum(sum(lengths) for _, lengths, _ in self.batches)
        self.warm = set()

    def batch(self, lengths, vocabulary, classes):
        targets = torch.randint(classes, (sum(lengths) if self.tags else len(lengths),))
        return torch.randint(vocabulary, (lengths[0], len(lengths))), lengths, targets

    def step(self, words, lengths, targets):
        self.optimizer.zero_grad(set_to_none=True)
        packed = nn.utils.rnn.pack_padded_sequence(words, lengths)
        rows, (last, _) = self.rnn(packed._replace(data=self.embedding(packed.data)))
        top = rows.data if self.tags else torch.cat((last[-2], last[-1]), 1)
        F.cross_entropy(self.output(top), targets).backward()
        nn.utils.clip_grad_norm_(self.parameters, 5.0)
        self.optimizer.step()

    def train(self):
        for batch in self.batches:
            self.step(*batch)

    def rate(self, kind, seconds):
        if kind not in self.warm:
            self.train()
            self.warm.add(kind)
        return self.tokens * timed(self.train, seconds)


class Pairs(nn.Module):
    """As bench_pairs.c. Targets are sorted, and a step works on those that last so long: no padded target is computed."""

    def __init__(self, order, vocabulary, embedding, hidden, units, file):
        super().__init__()
        torch.manual_seed(1)
        self.order = order
        width = 2 * hidden
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.encoder = nn.LSTM(embedding, hidden, bidirectional=True)
        self.bridge = nn.Linear(width, units)
        fed = {"luong": 0, "feeding": units, "bahdanau": width}[order]
        self.decoder = nn.LSTMCell(embedding + fed, units) if fed else nn.LSTM(embedding, units)
        self.key = nn.Linear(width, units, bias=order == "bahdanau")
        if order == "bahdanau":
            self.query, self.v = nn.Linear(units, units, bias=False), nn.Linear(units, 1, bias=False)
            self.out = nn.Linear(units + width + embedding, units)
        else:
            self.out = nn.Linear(units + width, units, bias=False)
        self.output = nn.Linear(units, vocabulary)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=0.001, fused=True)
        self.batches = [self.batch([int(length) for length in line.split()], vocabulary) for line in open(file)]
        self.tokens = sum(sum(targets) for _, _, _, targets, _ in self.batches)
        self.warm = set()

    @staticmethod
    def batch(lengths, vocabulary):
        pairs = sorted(zip(lengths[::2], lengths[1::2]), key=lambda pair: -pair[1])
        sources, targets = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        mask = torch.arange(max(sources)) >= torch.tensor(sources)[:, None]
        words = [torch.randint(vocabulary, (max(some), len(some))) for some in (sources, targets, targets)]
        packed = [nn.utils.rnn.pack_padded_sequence(some, of, enforce_sorted=False)
                  for some, of in zip(words, (sources, targets, targets))]
        return packed, mask, torch.tensor(sources), targets, packed[1].batch_sizes.tolist()

    def attend(self, asking, keys, rows, mask):
        if self.order == "bahdanau":
            scores = self.v(torch.tanh(self.query(asking).unsqueeze(1) + keys)).squeeze(2)
        else:
            scores = torch.bmm(keys, asking.unsqueeze(2)).squeeze(2)
        weights = torch.softmax(scores.masked_fill(mask, -torch.inf), 1)
        return torch.bmm(weights.unsqueeze(1), rows).squeeze(1)

    def loop(self, words, h, keys, rows, mask, sizes):
        c, tops, at = torch.zeros_like(h), [], 0
        fed = torch.zeros_like(h)
        for size in sizes:
            x, h, c, keys, rows, mask = words[at:at + size], h[:size], c[:size], keys[:size], rows[:size], mask[:size]
            at += size
            if self.order == "bahdanau":
                context = self.attend(h, keys, rows, mask)
                h, c = self.decoder(torch.cat((x, context), 1), (h, c))
                tops.append(torch.cat((h, context, x), 1))
            else:
                h, c = self.decoder(torch.cat((x, fed[:size]), 1), (h, c))
                fed = torch.tanh(self.out(torch.cat((h, self.attend(h, keys, rows, mask)), 1)))
                tops.append(fed)
        top = torch.cat(tops)
        return torch.tanh(self.out(top)) if self.order == "bahdanau" else top

    def at_once(self, words, h, keys, rows, mask):
        states, _ = self.decoder(words._replace(data=self.embedding(words.data)), (h[None], torch.zeros_like(h)[None]))
        padded, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
        weights = torch.softmax((padded @ keys.transpose(1, 2)).masked_fill(mask[:, None], -torch.inf), 2)
        context = nn.utils.rnn.pack_padded_sequence(weights @ rows, self.targets, batch_first=True).data
        return torch.tanh(self.out(torch.cat((states.data, context), 1)))

    def step(self, packed, mask, sources, targets, sizes):
        self.optimizer.zero_grad(set_to_none=True)
        source, before, words = packed
        self.targets = targets
        encoded, _ = self.encoder(source._replace(data=self.embedding(source.data)))
        rows, _ = nn.utils.rnn.pad_packed_sequence(encoded, batch_first=True)
        start, keys = torch.tanh(self.bridge(rows.sum(1) / sources[:, None])), self.key(rows)
        if self.order == "luong":
            top = self.at_once(before, start, keys, rows, mask)
        else:
            top = self.loop(self.embedding(before.data), start, keys, rows, mask, sizes)
        F.cross_entropy(self.output(top), words.data).backward()
        nn.utils.clip_grad_norm_(self.parameters(), 5.0)
        self.optimizer.step()

    def pass_over(self):
        for batch in self.batches:
            self.step(*batch)


def detach(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


class Training:
    def __init__(self, cell, vocabulary, layers, hidden, batch, window, wrap=lambda model: model):
        torch.manual_seed(1)
        self.model = wrap(LanguageModel(cell, vocabulary, layers, hidden))
        self.compiled = None
        self.warm = set()
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.SGD(self.parameters, lr=0.1)
        tokens = torch.randint(vocabulary, (window + 1, batch))
        self.inputs, self.targets = tokens[:-1].contiguous(), tokens[1:].reshape(-1)
        self.state = None
        self.tokens = window * batch

    def forward_of(self, kind):
        if not kind.endswith("-compiled"):
            return self.model
        if self.compiled is None:
            self.compiled = torch.compile(self.model)
        return self.compiled

    def step(self, kind="fp32"):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=kind.startswith("bf16")):
            logits, state = self.forward_of(kind)(self.inputs, self.state)
            loss = F.cross_entropy(logits, self.targets)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 5.0)
        self.optimizer.step()
        self.state = detach(state)

    def rate(self, kind, threads, seconds):
        if (kind, threads) not in self.warm:
            self.step(kind)  # the first one allocates (and compiles)
            self.warm.add((kind, threads))
        return self.tokens * timed(lambda: self.step(kind), seconds, threads)


def timed(work, least_seconds, threads=1):
    """Calls a second."""
    clock = time.process_time if threads == 1 else time.perf_counter
    begun, calls = clock(), 0
    while calls == 0 or clock() - begun < least_seconds:
        work()
        calls += 1
    return calls / (clock() - begun)


def prepare(kind, threads):
    torch.set_num_threads(threads)
    torch.backends.mkldnn.set_flags(not kind.endswith("-native"))


class Server:
    def __init__(self):
        self.key = self.kept = None

    def keep(self, key, make):
        if key != self.key:
            self.kept = None
            self.key, self.kept = key, make()
        return self.kept

    def train(self, cell, vocabulary, layers, hidden, batch, window, kind, threads, seconds):
        prepare(kind, int(threads))
        sizes = [int(size) for size in (vocabulary, layers, hidden, batch, window)]
        training = self.keep((cell, *sizes), lambda: Training(cell, *sizes))
        return training.rate(kind, int(threads), float(seconds))

    def sample(self, cell, vocabulary, layers, hidden, batch, kind, tokens):
        prepare(kind, 1)
        vocabulary, layers, hidden, batch = (int(size) for size in (vocabulary, layers, hidden, batch))
        model = self.keep(("sample", cell, vocabulary, layers, hidden),
                          lambda: LanguageModel(cell, vocabulary, layers, hidden).eval())

        @torch.inference_mode()
        def generate(count):
            token, state = torch.zeros(1, batch, dtype=torch.long), None
            with torch.autocast("cpu", torch.bfloat16, enabled=kind.startswith("bf16")):
                for _ in range(count):
                    logits, state = model(token, state)
                    token = torch.multinomial(F.softmax(logits.float(), -1), 1).view(1, batch)
            return token

        generate(5)
        return int(tokens) * batch * timed(lambda: generate(int(tokens)), 0)

    def ragged(self, task, vocabulary, embedding, layers, hidden, classes, file, kind, seconds):
        prepare(kind, 1)
        sizes = [int(size) for size in (vocabulary, embedding, layers, hidden, classes)]
        return self.keep(("ragged", task, *sizes, file), lambda: Ragged(task, *sizes, file)).rate(kind, float(seconds))

    def pairs(self, order, vocabulary, embedding, hidden, units, file, kind, seconds):
        prepare(kind, 1)
        sizes = [int(size) for size in (vocabulary, embedding, hidden, units)]
        pairs = self.keep(("pairs", order, *sizes, file), lambda: Pairs(order, *sizes, file))
        if kind not in pairs.warm:
            pairs.pass_over()
            pairs.warm.add(kind)
        return pairs.tokens * timed(pairs.pass_over, float(seconds))

    def ctc(self, frames, symbols, labels, batch, seconds):
        prepare("fp32", 1)
        frames, symbols, labels, batch = (int(size) for size in (frames, symbols, labels, batch))
        self.kept = self.key = None
        torch.manual_seed(1)
        log_p = torch.rand(frames, batch, symbols).mul_(6).log_softmax(-1).requires_grad_()
        targets = torch.randint(1, symbols, (batch, labels))
        lengths = [frames] * batch, [labels] * batch

        def lose():
            log_p.grad = None
            F.ctc_loss(log_p, targets, *lengths, reduction="sum").backward()

        lose()
        return batch * timed(lose, float(seconds))

    def ddp(self, cell, vocabulary, layers, hidden, batch, window, steps):
        sizes = [int(size) for size in (vocabulary, layers, hidden, batch, window)]
        self.key = self.kept = None
        queue = torch.multiprocessing.get_context("spawn").SimpleQueue()
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(20000 + os.getpid() % 20000))
        torch.multiprocessing.spawn(ddp_process, (cell, sizes, int(steps), queue), nprocs=2)
        return queue.get()


def ddp_process(rank, cell, sizes, steps, queue):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    training = Training(cell, *sizes, lambda model: nn.parallel.DistributedDataParallel(
        model, gradient_as_bucket_view=True))
    training.step()
    rates = []
    for _ in range(steps):
        begun = time.perf_counter()
        training.step()
        rates.append(2 * training.tokens / (time.perf_counter() - begun))
    if rank == 0:
        queue.put(statistics.median(rates))
    torch.distributed.destroy_process_group()


def main():
    server = Server()
    print(torch.__version__, flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            print(getattr(server, command)(*arguments), flush=True)
        except RuntimeError as error:  # torch.compile's errors are among them
            print(line.strip(), error, file=sys.stderr)
            print(0, flush=True)


if __name__ == "__main__":
    main()
