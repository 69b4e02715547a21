"""Writes the golden values of this directory with PyTorch (made with torch 2.13.0, CPU): python3 generate.py
Models: torch.nn.LSTM, GRU and RNN with cross_entropy in double, RNN with AdaptiveLogSoftmaxWithLoss;
bidirectional stacks of each cell, and layers with a start state, over packed sequences; encoder-decoders with attention, item by
item; a conditional random field by logsumexp, ctc_loss, regression and ordinal losses in double; optimisers and clipping in single precision."""
import torch
from torch import nn


def write(stream, name, tensor):
    values = tensor.detach().double().reshape(-1).tolist()
    stream.write(f"{name} {len(values)}\n" + " ".join(f"{value:.17g}" for value in values) + "\n")


def representable(*modules):
    """Values rounded to single precision."""
    for module in modules:
        for parameter in module.parameters():
            parameter.data.copy_(parameter.data.float().double())


def write_model(stream, name, named, inputs, targets, loss, state):
    write(stream, f"{name}.inputs", inputs)
    write(stream, f"{name}.targets", targets)
    write(stream, f"{name}.loss", loss)
    for index, part in enumerate(state if isinstance(state, tuple) else (state,)):
        write(stream, f"{name}.state{index}", part)
    for parameter, value in named.items():
        write(stream, f"{name}.{parameter}", value)
        write(stream, f"{name}.{parameter}.gradient", value.grad)
    gradients = torch.nn.utils.get_total_norm([value.grad for value in named.values()])
    write(stream, f"{name}.norm", gradients)


def model(stream, cell, module, layers=2, vocabulary=11, embedding=5, hidden=6, steps=7, batch=3):
    torch.manual_seed(len(cell))
    table = nn.Embedding(vocabulary, embedding).double()
    recurrent = module(embedding, hidden, layers).double()
    output = nn.Linear(hidden, vocabulary).double()
    representable(table, recurrent, output)
    inputs = torch.randint(vocabulary, (steps, batch))
    targets = torch.randint(vocabulary, (steps, batch))
    hiddens, state = recurrent(table(inputs))
    logits = output(hiddens)
    loss = nn.functional.cross_entropy(logits.reshape(-1, vocabulary), targets.reshape(-1), reduction="mean")
    loss.backward()
    named = {"embedding.weight": table.weight, "output.weight": output.weight, "output.bias": output.bias}
    named.update({f"rnn.{name}": value for name, value in recurrent.named_parameters()})
    write_model(stream, cell, named, inputs, targets, loss, state)


def adaptive(stream, vocabulary=19, cutoffs=(4, 9), embedding=5, hidden=18, steps=7, batch=3):
    """One layer; also ln p of every word in all rows of the window."""
    torch.manual_seed(1)
    table = nn.Embedding(vocabulary, embedding).double()
    recurrent = nn.RNN(embedding, hidden).double()
    output = nn.AdaptiveLogSoftmaxWithLoss(hidden, vocabulary, list(cutoffs), div_value=4.0).double()
    representable(table, recurrent, output)
    inputs = torch.randint(vocabulary, (steps, batch))
    targets = torch.randint(vocabulary, (steps, batch))
    hiddens, state = recurrent(table(inputs))
    rows = hiddens.reshape(-1, hidden)
    loss = output(rows, targets.reshape(-1)).loss
    loss.backward()
    named = {"embedding.weight": table.weight}
    named.update({f"rnn.{name}": value for name, value in recurrent.named_parameters()})
    named.update({f"output.{name}": value for name, value in output.named_parameters()})
    write_model(stream, "adaptive", named, inputs, targets, loss, state)
    write(stream, "adaptive.log_probabilities", output.log_prob(rows))


def packed(stream, cell, module, lengths=(5, 3, 3, 1), layers=2, width=4, hidden=6):
    """Two directions, sequences of different lengths; the loss is a sum of outputs, each with a weight of its own. Rows lie as in PackedSequence.data."""
    torch.manual_seed(40 + len(cell))
    recurrent = module(width, hidden, layers, bidirectional=True).double()
    representable(recurrent)
    rows = torch.randn(sum(lengths), width).float().double().requires_grad_()
    slopes = torch.randn(sum(lengths), 2 * hidden).float().double()
    batches = nn.utils.rnn.pack_padded_sequence(torch.zeros(max(lengths), len(lengths), width), torch.tensor(lengths), enforce_sorted=True).batch_sizes
    out, state = recurrent(nn.utils.rnn.PackedSequence(rows, batches))
    (out.data * slopes).sum().backward()
    write(stream, f"{cell}.inputs", rows)
    write(stream, f"{cell}.inputs.gradient", rows.grad)
    write(stream, f"{cell}.slopes", slopes)
    write(stream, f"{cell}.outputs", out.data)
    for index, part in enumerate(state if isinstance(state, tuple) else (state,)):
        write(stream, f"{cell}.state{index}", part)
    for parameter, value in recurrent.named_parameters():
        write(stream, f"{cell}.{parameter}", value)
        write(stream, f"{cell}.{parameter}.gradient", value.grad)


def started(stream, cell, module, lengths=(5, 3, 3, 1), width=4, hidden=6):
    """One layer that begins with a state h; c, of LSTM, is zero."""
    torch.manual_seed(70 + len(cell))
    recurrent = module(width, hidden).double()
    representable(recurrent)
    rows = torch.randn(sum(lengths), width).float().double().requires_grad_()
    start = torch.randn(1, len(lengths), hidden).float().double().requires_grad_()
    slopes = torch.randn(sum(lengths), hidden).float().double()
    batches = nn.utils.rnn.pack_padded_sequence(torch.zeros(max(lengths), len(lengths), width), torch.tensor(lengths), enforce_sorted=True).batch_sizes
    out, _ = recurrent(nn.utils.rnn.PackedSequence(rows, batches), (start, torch.zeros_like(start)) if cell == "lstm" else start)
    (out.data * slopes).sum().backward()
    name = f"{cell}-start"
    write(stream, f"{name}.inputs", rows)
    write(stream, f"{name}.inputs.gradient", rows.grad)
    write(stream, f"{name}.start", start)
    write(stream, f"{name}.start.gradient", start.grad)
    write(stream, f"{name}.slopes", slopes)
    write(stream, f"{name}.outputs", out.data)
    for parameter, value in recurrent.named_parameters():
        write(stream, f"{name}.{parameter}", value)
        write(stream, f"{name}.{parameter}.gradient", value.grad)


def optimizer(stream, name, make, steps=6, count=9):
    torch.manual_seed(3)
    parameter = nn.Parameter(torch.randn(count))
    write(stream, f"{name}.start", parameter)
    rule = make([parameter])
    gradients = torch.randn(steps, count)
    gradients[2, 3] = 0
    write(stream, f"{name}.gradients", gradients)
    path = []
    for step in range(steps):
        parameter.grad = gradients[step].clone()
        rule.step()
        path.append(parameter.detach().clone())
    write(stream, f"{name}.path", torch.stack(path))


def field_score(emissions, targets, transitions, start, end):
    """Of one label sequence and of all, for one item: emissions (T, K)."""
    score, reached = start[targets[0]] + emissions[0, targets[0]], start + emissions[0]
    for t in range(1, len(emissions)):
        score = score + transitions[targets[t - 1], targets[t]] + emissions[t, targets[t]]
        reached = torch.logsumexp(reached[:, None] + transitions, 0) + emissions[t]
    return score + end[targets[-1]], torch.logsumexp(reached + end, 0)


def field(stream, name, forbidden=(), labels=5, lengths=(6, 4, 4, 1)):
    """Items one after the other. `forbidden`: pairs of labels, targets avoid them."""
    torch.manual_seed(5)
    values = [torch.empty(shape).uniform_(-1, 1).double().requires_grad_() for shape in ((labels, labels), labels, labels)]
    mask = torch.zeros(labels, labels, dtype=torch.double)
    for before, after in forbidden:
        mask[before, after] = -1e9
    items = [(torch.randn(length, labels).mul_(2).double().requires_grad_(), torch.randint(labels - 1, (length,)) + 1) for length in lengths]
    loss = 0
    for emissions, targets in items:
        score, total = field_score(emissions, targets, values[0] + mask, *values[1:])
        loss = loss + total - score
    loss.backward()
    write(stream, f"{name}.loss", loss)
    for key, value in zip(("transitions", "start_transitions", "end_transitions"), values):
        write(stream, f"{name}.{key}", value)
        write(stream, f"{name}.{key}.gradient", value.grad)
    write(stream, f"{name}.targets", torch.cat([targets for _, targets in items]))
    write(stream, f"{name}.emissions", torch.cat([emissions for emissions, _ in items]))
    write(stream, f"{name}.emissions.gradient", torch.cat([emissions.grad for emissions, _ in items]))


def drawn(parameters, name, *shape):
    """A parameter that a test can draw, too: a sine of its place and name."""
    places = torch.arange(torch.Size(shape).numel(), dtype=torch.double)
    values = 0.6 * torch.sin(0.7 * places + sum(map(ord, name)))
    parameters[name] = values.float().double().reshape(shape).requires_grad_()
    return parameters[name]


def stepper(parameters, name, cell, inputs, hidden):
    gates = 4 if cell == "lstm" else 3
    own = [drawn(parameters, f"{name}.{part}_l0", *shape) for part, shape in (
        ("weight_ih", (gates * hidden, inputs)), ("weight_hh", (gates * hidden, hidden)),
        ("bias_ih", (gates * hidden,)), ("bias_hh", (gates * hidden,)))]

    def step(x, state):
        h, c = state
        return torch.lstm_cell(x, (h, c), *own) if cell == "lstm" else (torch.gru_cell(x, h, *own), c)
    return step


def decoder(stream, name, cell, attention, feeding=False, bahdanau=False, words=9, embedding=4, hidden=5,
            sources=(2, 4, 0, 1), targets=(3, 2, 4, 0)):
    """An encoder and a decoder that attends to it, item by item; loss and gradients of the sum."""
    parameters, loss = {}, 0
    source, target = (drawn(parameters, f"{prefix}embedding.weight", words, embedding) for prefix in ("", "decoder."))
    encode = stepper(parameters, "encoder", cell, embedding, hidden)
    fed = hidden if feeding or bahdanau else 0
    decode = stepper(parameters, "decoder", cell, embedding + fed, hidden)
    bridge = drawn(parameters, "bridge.weight", hidden, hidden), drawn(parameters, "bridge.bias", hidden)
    inside = "_l0" if fed else ""
    if attention != "dot":
        key = drawn(parameters, "decoder.key.weight", hidden, hidden)
    if attention == "additive":
        key_bias = drawn(parameters, "decoder.key.bias", hidden)
        query = drawn(parameters, "decoder.weight_query_l0" if fed else "decoder.query.weight", hidden, hidden)
        v = drawn(parameters, f"decoder.v{inside}", hidden)
    if bahdanau:
        readout = (drawn(parameters, "decoder.readout.weight", hidden, 2 * hidden + embedding),
                   drawn(parameters, "decoder.readout.bias", hidden))
    else:
        out = drawn(parameters, "decoder.weight_out_l0" if fed else "decoder.out.weight", hidden, 2 * hidden)
    output = drawn(parameters, "output.weight", words, hidden), drawn(parameters, "output.bias", words)
    zeros = torch.zeros(1, hidden, dtype=torch.double)

    def attend(asking, rows):
        if not len(rows):
            return zeros
        keys = rows if attention == "dot" else rows @ key.T
        scores = torch.tanh(asking @ query.T + keys + key_bias) @ v if attention == "additive" else keys @ asking[0]
        return (torch.softmax(scores, 0) @ rows).reshape(1, -1)

    for item, (length, steps) in enumerate(zip(sources, targets)):
        state, rows = (zeros, zeros), []
        for time in range(length):
            state = encode(source[(item * 11 + time * 3) % words].reshape(1, -1), state)
            rows.append(state[0])
        rows = torch.cat(rows) if rows else zeros[:0]
        mean = rows.mean(0, keepdim=True) if length else zeros
        state, seen, before = (torch.tanh(nn.functional.linear(mean, *bridge)), zeros), zeros, None
        for time in range(steps):
            word = (item * 31 + time * 5 + 3) % words
            x = torch.zeros(1, embedding, dtype=torch.double) if before is None else target[before].reshape(1, -1)
            before = word
            if bahdanau:
                context = attend(state[0], rows)
                state = decode(torch.cat([x, context], 1), state)
                top = torch.tanh(nn.functional.linear(torch.cat([state[0], context, x], 1), *readout))
            else:
                state = decode(torch.cat([x, seen], 1) if feeding else x, state)
                top = seen = torch.tanh(torch.cat([state[0], attend(state[0], rows)], 1) @ out.T)
            loss = loss + nn.functional.cross_entropy(nn.functional.linear(top, *output), torch.tensor([word]))
    loss.backward()
    write(stream, f"{name}.loss", loss)
    for parameter, value in parameters.items():
        write(stream, f"{name}.{parameter}", value.grad.float())


def regression(stream, name, loss, count=40):
    """Targets in units of their own, normalised by their mean and (population) deviation."""
    torch.manual_seed(6)
    outputs = torch.randn(count).double().requires_grad_()
    targets = torch.randn(count).mul_(3).add_(7).float().double()
    total = loss(outputs, (targets - targets.mean()) / targets.std(unbiased=False))
    total.backward()
    write(stream, f"{name}.outputs", outputs)
    write(stream, f"{name}.outputs.gradient", outputs.grad)
    write(stream, f"{name}.targets", targets)
    write(stream, f"{name}.loss", total)


def ordinal(stream, classes=5, count=30):
    """P(y >= k) = sigmoid(score - threshold k); cuts of 0: all classes are equally likely."""
    torch.manual_seed(7)
    scores = torch.randn(count).mul_(4).double().requires_grad_()
    cuts = torch.randn(classes - 1).double().requires_grad_()
    targets = torch.randint(classes, (count,))
    even = torch.logit(torch.arange(1, classes).double() / classes)
    steps = nn.functional.softplus(torch.log(torch.expm1(even[1:] - even[:-1])) + cuts[1:])
    thresholds = torch.cat([(even[:1] + cuts[:1]), even[0] + cuts[0] + torch.cumsum(steps, 0)])
    reached = torch.sigmoid(scores[:, None] - thresholds)
    one, none = torch.ones(count, 1).double(), torch.zeros(count, 1).double()
    probabilities = torch.cat([one, reached], 1) - torch.cat([reached, none], 1)
    loss = -torch.log(probabilities[torch.arange(count), targets]).sum()
    loss.backward()
    write(stream, "ordinal.scores", scores)
    write(stream, "ordinal.scores.gradient", scores.grad)
    write(stream, "ordinal.cuts", cuts)
    write(stream, "ordinal.cuts.gradient", cuts.grad)
    write(stream, "ordinal.targets", targets)
    write(stream, "ordinal.loss", loss)
    write(stream, "ordinal.probabilities", probabilities)
    write(stream, "ordinal.expected", (probabilities * (torch.arange(classes) + 1)).sum(1))


def ctc(stream, name, frames, symbols, labels, scale=3.0):
    """Gradients to the logits, through log_softmax. The errors are those of single precision."""
    torch.manual_seed(9)
    logits = torch.randn(frames, symbols).mul_(scale)
    targets = torch.tensor([labels], dtype=torch.long).reshape(1, -1)
    found = []
    for kind in (torch.double, torch.float):
        leaf = logits.to(kind).requires_grad_()
        loss = nn.functional.ctc_loss(leaf.log_softmax(1)[:, None], targets, [frames], [len(labels)], reduction="sum")
        loss.backward()
        found.append((loss.double(), leaf.grad.double()))
    (loss, gradient), (single_loss, single_gradient) = found
    write(stream, f"{name}.logits", logits)
    write(stream, f"{name}.loss", loss)
    write(stream, f"{name}.gradient", gradient)
    write(stream, f"{name}.loss.error", (single_loss - loss).abs())
    write(stream, f"{name}.gradient.error", (single_gradient - gradient).abs().max())


with open("models.txt", "w") as stream:
    model(stream, "lstm", nn.LSTM)
    model(stream, "gru-reset-after", nn.GRU)
    model(stream, "rnn", nn.RNN)

with open("packed.txt", "w") as stream:
    packed(stream, "lstm", nn.LSTM)
    packed(stream, "gru-reset-after", nn.GRU)
    packed(stream, "rnn", nn.RNN)
    for cell, module in (("lstm", nn.LSTM), ("gru-reset-after", nn.GRU), ("rnn", nn.RNN)):
        started(stream, cell, module)

with open("outputs.txt", "w") as stream:
    adaptive(stream)

with open("crf.txt", "w") as stream:
    field(stream, "free")
    field(stream, "masked", forbidden=((0, 2), (1, 0), (3, 0)))

with open("decoders.txt", "w") as stream:
    for attention in ("dot", "general", "additive"):
        decoder(stream, f"luong-{attention}", "gru-reset-after", attention)
        decoder(stream, f"feeding-{attention}", "lstm", attention, feeding=True)
        decoder(stream, f"bahdanau-{attention}", "gru-reset-after", attention, bahdanau=True)

with open("ctc.txt", "w") as stream:
    ctc(stream, "usual", 40, 8, [3, 1, 1, 4, 7, 2, 2, 6, 3])
    ctc(stream, "tight", 9, 5, [2, 2, 1, 1, 1, 3])
    ctc(stream, "empty", 5, 4, [])

with open("losses.txt", "w") as stream:
    regression(stream, "squared", nn.MSELoss(reduction="sum"))
    regression(stream, "absolute", nn.L1Loss(reduction="sum"))
    regression(stream, "huber", nn.HuberLoss(reduction="sum", delta=0.75))
    ordinal(stream)

with open("optimizers.txt", "w") as stream:
    single = dict(foreach=False)
    optimizer(stream, "sgd", lambda p: torch.optim.SGD(p, lr=0.1, **single))
    optimizer(stream, "sgd-decay", lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.05, **single))
    optimizer(stream, "momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05, **single))
    optimizer(stream, "adagrad", lambda p: torch.optim.Adagrad(p, lr=0.1, weight_decay=0.05, **single))
    optimizer(stream, "rmsprop", lambda p: torch.optim.RMSprop(p, lr=0.01, weight_decay=0.05, **single))
    optimizer(stream, "adam", lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.05, **single))
    optimizer(stream, "adamw", lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.05, **single))
    torch.manual_seed(8)
    clipped = nn.Parameter(torch.zeros(50))
    clipped.grad = torch.randn(50)
    write(stream, "clip.gradient", clipped.grad)
    norm = nn.utils.clip_grad_norm_([clipped], 2.0)
    write(stream, "clip.norm", norm)
    write(stream, "clip.clipped", clipped.grad)
