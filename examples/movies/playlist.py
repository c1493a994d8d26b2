"""A playlist of films of one genre, and one film of another for a change."""

import csv
import io
from pathlib import Path

from reflow import FlowSpec, IncludeFile, Parameter, step


class PlayListFlow(FlowSpec):
    """Picks the films of a genre that earned most, and adds one from outside of it.

    python playlist.py run --genre Drama
    """

    movie_data = IncludeFile(
        "movie_data",
        default=str(Path(__file__).resolve().parent / "movies.csv"),
        help="A CSV file with the columns title, year, genres and gross.",
    )
    genre = Parameter("genre", default="Comedy", help="Films of this genre.")
    recommendations = Parameter("recommendations", default=3, help="How many of them.")

    @step
    def start(self):
        """Read the table."""
        rows = csv.DictReader(io.StringIO(self.movie_data))
        self.table = [
            {
                "title": row["title"],
                "year": int(row["year"]),
                "genres": row["genres"].split("|"),
                "gross": int(row["gross"]),
            }
            for row in rows
        ]
        self.next(self.genre_movies, self.bonus_movie)

    @step
    def genre_movies(self):
        """The genre's films, the ones that earned most first."""
        found = [film for film in self.table if self.genre.lower() in map(str.lower, film["genres"])]
        self.movies = sorted(found, key=lambda film: -film["gross"])
        self.next(self.join)

    @step
    def bonus_movie(self):
        """The best of all others."""
        others = [film for film in self.table if self.genre.lower() not in map(str.lower, film["genres"])]
        self.bonus = max(others, key=lambda film: film["gross"])
        self.next(self.join)

    @step
    def join(self, inputs):
        """Both together."""
        self.bonus = inputs.bonus_movie.bonus
        self.playlist = [film["title"] for film in inputs.genre_movies.movies[: self.recommendations]]
        self.next(self.end)

    @step
    def end(self):
        """Print the playlist."""
        print(f"{self.genre}: {', '.join(self.playlist)}")
        print(f"And for a change: {self.bonus['title']}")


if __name__ == "__main__":
    PlayListFlow()
