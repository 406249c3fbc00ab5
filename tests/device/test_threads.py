"""Two extractors on two threads share one Net. MicroPython for unix has no global lock: this is in earnest."""

from time import sleep

from expect import start_thread

import nnmicro
from nnmicro.modules import forget

FILES = ("digits.nnm",)


def test_two_extractors_on_two_threads_share_a_net():
    share("reference")


def test_so_they_do_with_the_best_backend_there_is():
    share(None)


def share(backend):
    net = nnmicro.Net("digits.nnm", nnmicro.Option(backend=backend))
    images = [[(i * k) % 17 for i in range(64)] for k in (3, 5)]
    right = []
    for image in images:
        with net.extractor() as ex:
            ex.input("image", image)
            right.append(ex.extract("scores").tobytes())
    assert right[0] != right[1]
    wrong = []
    done = []

    def work(number, rounds):
        try:
            ex = net.extractor(arena=nnmicro.Arena(net.arena_size))
            for _ in range(rounds):
                ex.input("image", images[number])
                if ex.extract("scores").tobytes() != right[number]:
                    wrong.append(number)
                ex.reset()
            ex.close()
            done.append(ex.arena.used)
        except BaseException as error:
            done.append(error)

    for number in range(2):
        start_thread(work, number, 20)
    while len(done) < 2:
        sleep(0.05)
    assert done == [0, 0] and not wrong, (done, wrong)


def test_a_part_that_two_threads_ask_for_at_once_is_loaded_for_both():
    net = nnmicro.Net("digits.nnm")
    names = [net.name(blob) for blob in range(net.n_blobs)]
    found = [None, None]
    ready = [False, False]

    def work(number):
        ready[number] = True
        while not ready[1 - number]:
            pass
        try:
            found[number] = [net.name(blob) for blob in range(net.n_blobs)]
        except BaseException as error:
            found[number] = error

    for _ in range(20):
        forget("names")
        found[:] = (None, None)
        ready[:] = (False, False)
        for number in range(2):
            start_thread(work, number)
        while None in found:
            sleep(0.01)
        assert found == [names, names], found
