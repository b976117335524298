"""Data-parallel softmax regression on scikit-learn's handwritten digits.

The master holds the weights. In each epoch it sends them to every worker, each worker answers with
the gradient on its own share of the training data, and the master takes a step along the mean.
Where the master listens, and which share is whose, the tasks learn from PAI's variables.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

WORKERS = int(os.environ["PAI_TASK_ROLE_TASK_COUNT_worker"])
SHAPE = (65, 10)  # 64 pixels and a bias, 10 digits


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The digits, scaled to 0..1 with a column of ones, in a fixed split."""
    pixels, labels = load_digits(return_X_y=True)
    pixels = np.hstack([pixels / 16, np.ones((len(pixels), 1))])
    return train_test_split(pixels, labels, test_size=0.25, random_state=0, stratify=labels)


def send(connection: socket.socket, array: np.ndarray) -> None:
    connection.sendall(array.astype("<f8").tobytes())


def receive(connection: socket.socket) -> np.ndarray | None:
    """One array of weights or gradients; None when the other side has finished."""
    missing = SHAPE[0] * SHAPE[1] * 8
    chunks = []
    while missing:
        chunk = connection.recv(missing)
        if not chunk:
            return None
        chunks.append(chunk)
        missing -= len(chunk)
    return np.frombuffer(b"".join(chunks), "<f8").reshape(SHAPE)


def probabilities(pixels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    scores = np.exp(pixels @ weights - (pixels @ weights).max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def master(epochs: int, learning_rate: float) -> None:
    _, pixels, _, labels = data()
    weights = np.zeros(SHAPE)
    port = int(os.environ["PAI_CONTAINER_HOST_sync_PORT_LIST"].split(",")[0])
    with socket.create_server((os.environ["PAI_CURRENT_CONTAINER_IP"], port)) as server:
        workers = [server.accept()[0] for _ in range(WORKERS)]
        print(f"{WORKERS} workers joined", flush=True)
        accuracy = 0.0
        for epoch in range(1, epochs + 1):
            for worker in workers:
                send(worker, weights)
            gradients = [receive(worker) for worker in workers]
            weights -= learning_rate * np.mean(gradients, axis=0)
            if epoch % 10 == 0:
                accuracy = float((probabilities(pixels, weights).argmax(axis=1) == labels).mean())
                print(f"epoch {epoch:3d}  accuracy {accuracy:.4f}", flush=True)
        for worker in workers:
            worker.close()
    np.savez("model.npz", weights=weights)
    with open("metrics.json", "w", encoding="utf-8") as file:
        json.dump({"accuracy": accuracy, "epochs": epochs, "learning_rate": learning_rate}, file)


def worker() -> None:
    index = int(os.environ["PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX"])
    pixels, _, labels, _ = data()
    pixels, labels = pixels[index::WORKERS], np.eye(10)[labels[index::WORKERS]]
    address = (
        os.environ["PAI_HOST_IP_master_0"],
        int(os.environ["PAI_PORT_LIST_master_0_sync"].split(",")[0]),
    )
    with connect(address) as connection:
        print(f"worker {index}: {len(pixels)} digits", flush=True)
        while (weights := receive(connection)) is not None:
            send(connection, pixels.T @ (probabilities(pixels, weights) - labels) / len(pixels))
    print(f"worker {index}: done", flush=True)


def connect(address: tuple[str, int]) -> socket.socket:
    """The master may still be starting: PAI's gang allocation waits for places, not processes."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(address)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["master", "worker"])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--learning-rate", type=float, default=10)
    options = parser.parse_args()
    if options.role == "master":
        master(options.epochs, options.learning_rate)
    else:
        worker()
